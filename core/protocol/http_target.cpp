#include "protocol/http_target.h"

#include <algorithm>
#include <cstddef>

#include "protocol/http_grammar.h"

namespace muxbench::http {
namespace {

constexpr std::string_view kScheme = "http://";

int hex_value(char c) noexcept { return is(c, kDigit) ? c - '0' : (c | 0x20) - 'a' + 10; }

bool is_escape(std::string_view text) noexcept {
  return text.size() >= 3 && text[0] == '%' && is(text[1], kHex) && is(text[2], kHex);
}

// The length of the decoded text, or npos for a bad escape or a NUL, which would end a C string
// early and so name another file than the one that was checked.
std::size_t decode(std::string_view text, std::span<char> room) noexcept {
  std::size_t size = 0;
  while (!text.empty()) {
    char c = text[0];
    std::size_t length = 1;
    if (c == '%') {
      if (!is_escape(text)) return std::string_view::npos;
      c = static_cast<char>(hex_value(text[1]) * 16 + hex_value(text[2]));
      if (c == '\0') return std::string_view::npos;
      length = 3;
    }
    room[size++] = c;
    text.remove_prefix(length);
  }
  return size;
}

// Clients remove dot segments before they send (RFC 3986 section 5.2.4), so one that arrives comes
// from nobody who needs an answer.
bool has_dot_dot(std::string_view path) noexcept {
  for (std::size_t at = path.find("/.."); at != std::string_view::npos;
       at = path.find("/..", at + 1)) {
    if (at + 3 == path.size() || path[at + 3] == '/') return true;
  }
  return false;
}

}  // namespace

bool is_authority(std::string_view text) noexcept {
  std::size_t host = 0;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || close < 3) return false;  // the shortest is "[::]"
    for (const char c : text.substr(1, close - 1)) {
      if (!is(c, kHex) && c != ':' && c != '.') return false;
    }
    host = close + 1;
  } else {
    while (host < text.size() && text[host] != ':') {
      const bool escape = is_escape(text.substr(host));
      if (!escape && !is(text[host], kRegName)) return false;
      host += escape ? 3 : 1;
    }
  }
  if (host == text.size()) return true;
  return text[host] == ':' && all_are(text.substr(host + 1), kDigit);
}

Target resolve_target(std::string_view target, std::span<char> room) noexcept {
  if (!target.starts_with('/')) {
    if (!equals_ignoring_case(target.substr(0, kScheme.size()), kScheme)) {
      return {TargetError::malformed};
    }
    target.remove_prefix(kScheme.size());
    const std::size_t authority = std::min(target.find_first_of("/?"), target.size());
    const std::string_view host = target.substr(0, authority);
    if (host.empty() || host.starts_with(':') || !is_authority(host)) {
      return {TargetError::malformed};
    }
    target.remove_prefix(authority);
  }
  std::string_view path = target.substr(0, target.find('?'));
  if (path.empty()) path = "/";
  if (path.find('%') != std::string_view::npos) {
    const std::size_t size = decode(path, room);
    if (size == std::string_view::npos) return {TargetError::malformed};
    path = {room.data(), size};
  }
  if (has_dot_dot(path)) return {TargetError::climbs};
  return {TargetError::none, path};
}

}  // namespace muxbench::http
