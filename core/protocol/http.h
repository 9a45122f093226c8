// HTTP/1.1 (RFC 9110, RFC 9112), as far as a server of files needs it: GET and HEAD, persistent
// connections, pipelining. The body of an answer goes from the document's mapping to the kernel; it
// is neither copied nor looked at here.
//
// A document that is not there, or not for the client, is answered with a short text. A request that
// cannot be taken ends the connection too, lingering, so that the answer survives what the client
// may still be sending.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "protocol/http_parser.h"
#include "protocol/reaction.h"
#include "protocol/site.h"

namespace muxbench {

class Http {
 public:
  static constexpr bool kUsesScratch = true;

  // The site outlives all copies.
  explicit Http(Site& site) noexcept : site_(&site) {}
  // A copy begins a conversation of its own with the same site.
  Http(const Http& other) noexcept : site_(other.site_) {}
  Http(Http&& other) noexcept : site_(other.site_), state_(std::exchange(other.state_, 0)) {}
  Http& operator=(Http other) noexcept {
    std::swap(site_, other.site_);
    std::swap(state_, other.state_);
    return *this;
  }
  ~Http() { on_flushed(); }

  Reaction open() noexcept { return {}; }
  Reaction feed(std::span<const std::byte> input, std::span<std::byte> scratch) noexcept;
  void on_flushed() noexcept;

 private:
  Reaction answer(const http::Parser& parser, std::string_view input,
                  std::span<char> scratch) noexcept;
  Reaction refuse(http::Status status, const http::Parser& parser, std::size_t input_size,
                  std::span<char> scratch) noexcept;

  Site* site_;
  // A head is never incomplete while a document is being sent, so one word holds either: 0 for
  // neither, odd for the parser's progress, even for a counted Document*.
  std::uint64_t state_ = 0;
};

}  // namespace muxbench
