// Reads the head of an HTTP/1.x response (RFC 9112), strictly: what a correct server would not
// write is an error, never guessed at. So a line must end with CR LF. RFC 9112 (2.2) lets a
// recipient take LF alone for a line's end as well, but no server may send it.
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

struct HttpHeadEnd {
  std::size_t size = 0;    // of the head, with its empty line; 0: it is not complete yet
  std::string_view error;  // a phrase: it never will be
};

// Of the head that `text` starts with. Its first `searched` bytes were looked at before.
HttpHeadEnd find_http_head_end(std::string_view text, std::size_t searched = 0);

// RFC 9110 (15.2): any number of interim responses, which have no body, may come before the final
// one. After 101 the connection speaks another protocol, which nobody asked for.
constexpr bool is_interim(int status) { return status / 100 == 1 && status != 101; }

}  // namespace muxbench::loadgen
