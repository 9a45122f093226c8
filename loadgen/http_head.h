// Reads the head of an HTTP/1.x response (RFC 9112), strictly: what a correct server would not
// write is an error, never guessed at.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace muxbench::loadgen {

inline constexpr std::size_t kLongestHttpHead = 16 * 1024;

struct HttpHead {
  std::string_view error;  // a phrase, or empty: the rest holds
  int status = 0;
  std::optional<std::uint64_t> content_length;
  bool close = false;  // the server will close the connection after this response
};

// `head` is everything up to and including the empty line.
HttpHead parse_http_head(std::string_view head);

}  // namespace muxbench::loadgen
