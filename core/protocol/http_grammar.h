// The lexical rules of HTTP/1.1 that more than one file needs: character classes (RFC 9110 section
// 5.6, RFC 3986 section 2) and comparison without case.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace muxbench::http {

enum CharClass : std::uint8_t {
  kToken = 1,    // tchar: methods and field names
  kUri = 2,      // what may stand in a request target; "%" is checked where it is decoded
  kRegName = 4,  // a host that is a name: unreserved and sub-delims; "%" as above
  kDigit = 8,
  kHex = 16,
};

constexpr std::array<std::uint8_t, 256> make_char_classes() {
  std::array<std::uint8_t, 256> classes{};
  const auto mark = [&](std::string_view characters, int bits) {
    for (const char c : characters) {
      std::uint8_t& entry = classes[static_cast<unsigned char>(c)];
      entry = static_cast<std::uint8_t>(entry | bits);
    }
  };
  mark("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", kToken | kUri | kRegName);
  mark("0123456789", kToken | kUri | kRegName | kDigit | kHex);
  mark("abcdefABCDEF", kHex);
  mark("!#$%&'*+-.^_`|~", kToken);
  mark("-._~!$&'()*+,;=", kUri | kRegName);
  mark(":@/?%", kUri);
  return classes;
}

inline constexpr std::array<std::uint8_t, 256> kCharClasses = make_char_classes();

constexpr bool is(char c, CharClass wanted) noexcept {
  return (kCharClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

constexpr bool all_are(std::string_view text, CharClass wanted) noexcept {
  for (const char c : text) {
    if (!is(c, wanted)) return false;
  }
  return true;
}

// `lower` is in lower case. ASCII only: the C library's functions follow the locale.
constexpr bool equals_ignoring_case(std::string_view text, std::string_view lower) noexcept {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c) != lower[i]) return false;
  }
  return true;
}

// Without optional white space (RFC 9110 section 5.6.3) at both ends.
constexpr std::string_view trim(std::string_view text) noexcept {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// Cuts the next element off a comma-separated list (RFC 9110 section 5.6.1); it may be empty.
constexpr std::string_view next_element(std::string_view& list) noexcept {
  const std::size_t comma = list.find(',');
  const std::string_view element = trim(list.substr(0, comma));
  list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  return element;
}

}  // namespace muxbench::http
