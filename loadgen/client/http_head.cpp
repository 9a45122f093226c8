#include "client/http_head.h"

#include <algorithm>
#include <charconv>

namespace muxbench::loadgen {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kStart = "HTTP/1.";
constexpr std::string_view kBareLineFeed = "a line of the head ends with LF alone instead of CR LF";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// RFC 9110 section 5.6.2: tchar
bool is_token_char(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool list_contains(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (equals_ignoring_case(trim(list.substr(0, comma)), wanted)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// "HTTP/1.1 200 OK"; the reason may be empty.
bool parse_status_line(std::string_view line, HttpHead& head) {
  const bool shape = line.size() >= 13 && line.starts_with("HTTP/1.") &&
                     (line[7] == '0' || line[7] == '1') && line[8] == ' ' && is_digit(line[9]) &&
                     is_digit(line[10]) && is_digit(line[11]) && line[12] == ' ';
  if (!shape) return false;
  head.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  head.close = line[7] == '0';
  return true;
}

std::string_view find_control_character(std::string_view line) {
  if (line.find('\n') != std::string_view::npos) return kBareLineFeed;
  const bool found =
      line.find('\r') != std::string_view::npos || line.find('\0') != std::string_view::npos;
  return found ? "a line of the head with a control character" : std::string_view();
}

std::string_view parse_field(std::string_view line, HttpHead& head) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return "a header line without a name";
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (!std::ranges::all_of(name, is_token_char)) return "a header name with a forbidden character";
  if (equals_ignoring_case(name, "content-length")) {
    std::uint64_t length = 0;
    const char* const end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, length);
    if (read.ec != std::errc{} || read.ptr != end) return "a Content-Length that is not a number";
    if (head.content_length && *head.content_length != length) {
      return "two Content-Lengths that differ";
    }
    head.content_length = length;
  } else if (equals_ignoring_case(name, "transfer-encoding")) {
    return "a Transfer-Encoding, which is not supported here";
  } else if (equals_ignoring_case(name, "connection")) {
    if (list_contains(value, "close")) head.close = true;
    if (list_contains(value, "keep-alive")) head.close = false;
  }
  return {};
}

}  // namespace

HttpHead parse_http_head(std::string_view head) {
  HttpHead result;
  bool first = true;
  while (true) {
    const std::size_t end = head.find(kLineEnd);
    if (end == std::string_view::npos) {
      result.error = "a head without an empty line";
      return result;
    }
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + kLineEnd.size());
    if (line.empty() && !first) break;
    result.error = find_control_character(line);
    if (!result.error.empty()) return result;
    if (first && !parse_status_line(line, result)) {
      result.error = "a malformed status line";
      return result;
    }
    if (!first) result.error = parse_field(line, result);
    if (!result.error.empty()) return result;
    first = false;
  }
  return result;
}

HttpHeadEnd find_http_head_end(std::string_view text, std::size_t searched) {
  const std::size_t start = std::min(text.size(), kStart.size());
  if (text.substr(0, start) != kStart.substr(0, start)) {
    return {.error = "the response does not start with \"HTTP/1.\""};
  }
  const std::size_t end = text.find(kHeadEnd, searched - std::min<std::size_t>(searched, 3));
  const bool complete = end != std::string_view::npos;
  if ((complete ? end + kHeadEnd.size() : text.size()) > kLongestHttpHead) {
    return {.error = "a head of more than 16 KiB"};
  }
  if (complete) return {.size = end + kHeadEnd.size()};
  // Whoever ends lines with LF alone never writes the empty line that is waited for.
  for (std::size_t at = searched; (at = text.find('\n', at)) != std::string_view::npos; ++at) {
    if (text[at - 1] != '\r') return {.error = kBareLineFeed};
  }
  return {};
}

}  // namespace muxbench::loadgen
