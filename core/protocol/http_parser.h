// An incremental parser for the head of an HTTP/1.x request (RFC 9112). It allocates nothing,
// copies nothing, and reads every line once however the bytes arrive.
//
// It is strict where leniency has let one message be read as two (RFC 9112 section 11.2):
//   - A line ends with CRLF. A lone LF may be taken for one (section 2.2) and is refused; a lone CR
//     must not be.
//   - No control characters, no white space before a colon, no line folding (sections 2.2, 5, 5.2).
//   - Host: exactly one in 1.1, at most one in 1.0, and well-formed (section 3.2).
//   - Content-Length: at most one, digits only, never together with Transfer-Encoding, which 1.0
//     does not have at all (sections 6.1 to 6.3).
// A request with content is refused whole, with 413: no document needs any, and what is not read
// cannot be read wrongly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace muxbench::http {

// RFC 9112 section 3 asks for at least 8000 octets.
inline constexpr std::size_t kLongestRequestLine = 8192;  // without its CRLF; beyond: 414
// From the first byte to the end of the empty line. It must fit a session's buffer. Beyond: 431.
inline constexpr std::size_t kLongestHead = 16 * 1024;

enum class Status : std::uint16_t {
  needs_more = 0,
  ok = 200,
  bad_request = 400,
  forbidden = 403,
  not_found = 404,
  method_not_allowed = 405,
  content_too_large = 413,
  uri_too_long = 414,
  head_too_large = 431,
  not_implemented = 501,
  unavailable = 503,
  version_not_supported = 505,
};

class Parser {
 public:
  Parser() noexcept = default;
  // Goes on where the parser that gave save() stopped.
  explicit Parser(std::uint64_t saved) noexcept;
  // Its progress in one word, which is odd, so that it cannot be mistaken for 0 or a pointer.
  std::uint64_t save() const noexcept;

  // `input` begins with the first byte of the head, and holds all that it held in the last call.
  // needs_more, ok, or the status of the answer that refuses the request.
  Status parse(std::string_view input) noexcept;

  // After ok: the length of the head, and what it asks for.
  std::size_t head_size() const noexcept { return line_; }
  std::string_view target(std::string_view input) const noexcept {
    return input.substr(target_, target_size_);
  }
  bool keep_alive() const noexcept;
  bool is_http_1_0() const noexcept { return has(kHttp10); }
  // Known after errors too, as far as the head was read.
  bool is_head_method() const noexcept { return has(kHeadMethod); }

 private:
  enum Flag : std::uint16_t {
    kSaved = 1,  // in saved words only
    kRequestLine = 1 << 1,
    kHttp10 = 1 << 2,
    kHeadMethod = 1 << 3,
    kKnownMethod = 1 << 4,  // one that RFC 9110 or 5789 defines, but not GET or HEAD
    kUnknownMethod = 1 << 5,
    kHost = 1 << 6,
    kLength = 1 << 7,
    kContent = 1 << 8,  // Content-Length other than 0
    kChunked = 1 << 9,
    kOtherCoding = 1 << 10,  // chunked last, but over a coding that we do not have
    kClose = 1 << 11,
    kKeepAlive = 1 << 12,
  };

  bool has(int flags) const noexcept { return (flags_ & flags) != 0; }
  void set(int flags) noexcept { flags_ = static_cast<std::uint16_t>(flags_ | flags); }

  Status read_request_line(std::string_view line) noexcept;
  Status read_field(std::string_view line) noexcept;
  Status read_transfer_encoding(std::string_view value) noexcept;
  void read_connection(std::string_view value) noexcept;
  Status judge() const noexcept;

  std::uint16_t line_ = 0;  // where the first line that was not yet read begins
  std::uint16_t target_ = 0;
  std::uint16_t target_size_ = 0;
  std::uint16_t flags_ = 0;
};

}  // namespace muxbench::http
