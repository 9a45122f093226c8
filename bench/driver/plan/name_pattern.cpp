#include "plan/name_pattern.h"

#include <fnmatch.h>

#include <algorithm>
#include <numeric>
#include <sstream>

namespace muxbench {
namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// The names that a mistyped one may stand for, else all of them.
std::string suggestions(const std::vector<std::string>& names, const std::string& wanted) {
  std::vector<std::string> close;
  for (const std::string& name : names) {
    const bool part = wanted.size() >= 3 && name.find(wanted) != std::string::npos;
    if (part || edit_distance(name, wanted) <= 1 + wanted.size() / 4) close.push_back(name);
  }
  const bool any_close = !close.empty();
  const auto& shown = any_close ? close : names;
  std::string text;
  for (const std::string& name : shown) text += (text.empty() ? "" : ", ") + name;
  return (any_close ? "did you mean " : "there are ") + text;
}

}  // namespace

bool matches_any(const std::string& name, const std::string& patterns) {
  const auto parts = split(patterns);
  return std::any_of(parts.begin(), parts.end(), [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

Result<std::vector<std::size_t>> select_names(const std::vector<std::string>& names,
                                              const std::string& patterns, std::string_view kind) {
  const auto parts = split(patterns);
  if (parts.empty()) {
    return usage_error("no {} is named; {}", kind, suggestions(names, patterns));
  }
  for (const std::string& part : parts) {
    const bool found = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return matches_any(name, part);
    });
    if (!found) {
      return usage_error("there is no {} \"{}\"; {}", kind, part, suggestions(names, part));
    }
  }
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (matches_any(names[i], patterns)) chosen.push_back(i);
  }
  return chosen;
}

}  // namespace muxbench
