#include "protocol/http_parser.h"

#include <algorithm>
#include <array>

#include "protocol/http_grammar.h"
#include "protocol/http_target.h"

namespace muxbench::http {
namespace {

// RFC 9110 section 9.3 and RFC 5789. GET and HEAD are told apart before this list is asked.
constexpr std::array<std::string_view, 7> kOtherMethods{"POST",    "PUT",   "DELETE", "CONNECT",
                                                        "OPTIONS", "TRACE", "PATCH"};
// A request line that has not ended is judged by this much of its method, so that a client that
// speaks TLS or anything else learns of its mistake at once.
constexpr std::size_t kMethodProbe = 32;

bool method_may_begin(std::string_view line) noexcept {
  const std::size_t size = std::min(line.size(), kMethodProbe);
  std::size_t token = 0;
  while (token < size && is(line[token], kToken)) ++token;
  // What ends it may be a space after a token, or the end of a line, whose fault is found later.
  return token == size || (line[token] == ' ' && token > 0) || line[token] == '\r';
}

// field-content (RFC 9110 section 5.5): no control characters but the tab. Without branches, so
// that the compiler turns it into vector instructions.
bool is_field_value(std::string_view text) noexcept {
  unsigned bad = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    bad |= static_cast<unsigned>((byte < 0x20) & (byte != '\t')) | (byte == 0x7f);
  }
  return bad == 0;
}

}  // namespace

Parser::Parser(std::uint64_t saved) noexcept
    : line_(static_cast<std::uint16_t>(saved >> 48)),
      target_(static_cast<std::uint16_t>(saved >> 32)),
      target_size_(static_cast<std::uint16_t>(saved >> 16)),
      flags_(static_cast<std::uint16_t>(saved & ~std::uint64_t{kSaved})) {}

std::uint64_t Parser::save() const noexcept {
  return std::uint64_t{line_} << 48 | std::uint64_t{target_} << 32 |
         std::uint64_t{target_size_} << 16 | flags_ | kSaved;
}

Status Parser::parse(std::string_view input) noexcept {
  if (line_ == 0 && input.starts_with('\r')) {
    // One empty line before the request is forgiven (RFC 9112 section 2.2).
    if (input.size() == 1) return Status::needs_more;
    if (input[1] != '\n') return Status::bad_request;
    line_ = 2;
  }
  while (true) {
    const bool first = !has(kRequestLine);
    const std::string_view rest = input.substr(line_);
    if (first && !method_may_begin(rest)) return Status::bad_request;
    const std::size_t newline = rest.find('\n');
    // Limits come before contents, so that the verdict does not depend on how the bytes arrived.
    const std::size_t seen = std::min(newline, rest.size());
    if (first && seen > kLongestRequestLine + 1) return Status::uri_too_long;
    const bool ended = newline != std::string_view::npos;
    if (line_ + seen + (ended ? 1 : 0) > kLongestHead) return Status::head_too_large;
    if (!ended) {
      return line_ + seen == kLongestHead ? Status::head_too_large : Status::needs_more;
    }
    if (newline == 0 || rest[newline - 1] != '\r') return Status::bad_request;

    const std::string_view line = rest.substr(0, newline - 1);
    if (!first && line.empty()) {
      line_ = static_cast<std::uint16_t>(line_ + newline + 1);
      return judge();
    }
    const Status status = first ? read_request_line(line) : read_field(line);
    if (status != Status::ok) return status;
    line_ = static_cast<std::uint16_t>(line_ + newline + 1);
  }
}

// method SP request-target SP HTTP-version (RFC 9112 section 3), each separated by exactly one
// space.
Status Parser::read_request_line(std::string_view line) noexcept {
  const std::size_t method_size = line.find(' ');
  const std::size_t target_end = line.rfind(' ');
  if (method_size == std::string_view::npos || target_end == method_size) {
    return Status::bad_request;
  }
  const std::string_view method = line.substr(0, method_size);
  const std::string_view target = line.substr(method_size + 1, target_end - method_size - 1);
  const std::string_view version = line.substr(target_end + 1);
  if (!all_are(method, kToken) || target.empty() || !all_are(target, kUri)) {
    return Status::bad_request;
  }
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is(version[5], kDigit) ||
      version[6] != '.' || !is(version[7], kDigit)) {
    return Status::bad_request;
  }
  if (version[5] != '1') return Status::version_not_supported;

  set(kRequestLine);
  if (version[7] == '0') set(kHttp10);
  if (method == "HEAD") {
    set(kHeadMethod);
  } else if (method != "GET") {
    const bool known =
        std::find(kOtherMethods.begin(), kOtherMethods.end(), method) != kOtherMethods.end();
    set(known ? kKnownMethod : kUnknownMethod);
  }
  target_ = static_cast<std::uint16_t>(line_ + method_size + 1);
  target_size_ = static_cast<std::uint16_t>(target.size());
  return Status::ok;
}

// field-name ":" OWS field-value OWS (RFC 9112 section 5). A folded line begins with white space,
// which is no token character, so it is refused here too.
Status Parser::read_field(std::string_view line) noexcept {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return Status::bad_request;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (!all_are(name, kToken) || !is_field_value(value)) return Status::bad_request;

  if (equals_ignoring_case(name, "host")) {
    if (has(kHost) || !is_authority(value)) return Status::bad_request;
    set(kHost);
  } else if (equals_ignoring_case(name, "connection")) {
    read_connection(value);
  } else if (equals_ignoring_case(name, "content-length")) {
    if (has(kLength) || value.empty() || !all_are(value, kDigit)) return Status::bad_request;
    set(kLength);
    // Whether there is any content is all we need to know, so no number can overflow.
    if (value.find_first_not_of('0') != std::string_view::npos) set(kContent);
  } else if (equals_ignoring_case(name, "transfer-encoding")) {
    return read_transfer_encoding(value);
  }
  return Status::ok;
}

// RFC 9112 sections 6.1 and 6.3: the end of the content is only to be found when chunked is applied
// once and last.
Status Parser::read_transfer_encoding(std::string_view value) noexcept {
  if (has(kChunked)) return Status::bad_request;  // nothing can follow it, in a second field either
  while (!value.empty()) {
    const std::string_view coding = next_element(value);
    if (coding.empty()) continue;
    if (has(kChunked)) return Status::bad_request;
    set(equals_ignoring_case(coding, "chunked") ? kChunked : kOtherCoding);
  }
  return has(kChunked | kOtherCoding) ? Status::ok : Status::bad_request;
}

// Other options are for other software on the way (RFC 9110 section 7.6.1).
void Parser::read_connection(std::string_view value) noexcept {
  while (!value.empty()) {
    const std::string_view option = next_element(value);
    if (equals_ignoring_case(option, "close")) set(kClose);
    if (equals_ignoring_case(option, "keep-alive")) set(kKeepAlive);
  }
}

// The head is whole: does it say one thing only, and one that we do? What is malformed is refused
// before what is merely not supported.
Status Parser::judge() const noexcept {
  if (!has(kHost) && !has(kHttp10)) return Status::bad_request;
  if (has(kChunked | kOtherCoding)) {
    if (has(kLength) || has(kHttp10) || !has(kChunked)) return Status::bad_request;
  }
  if (has(kUnknownMethod)) return Status::not_implemented;
  if (has(kKnownMethod)) return Status::method_not_allowed;
  if (has(kOtherCoding)) return Status::not_implemented;
  if (has(kContent | kChunked)) return Status::content_too_large;
  return Status::ok;
}

// RFC 9112 section 9.3.
bool Parser::keep_alive() const noexcept {
  return !has(kClose) && (!has(kHttp10) || has(kKeepAlive));
}

}  // namespace muxbench::http
