// Reads the words of a command line into options.
#pragma once

#include <fmt/ranges.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/format.h"
#include "base/parse.h"
#include "options/options.h"

namespace muxbench::loadgen {

// Collects the first thing that is wrong, so that each option is read in one line.
class Reader {
 public:
  void count(const char* option, const std::string& text, std::uint64_t least, std::uint64_t most,
             auto& out) {
    const Result<std::uint64_t> value = parse_count(text);
    if (!value) return refuse(usage_error("{}: {}", option, value.error().message));
    if (*value < least || *value > most) {
      return refuse(usage_error("{} must be {}, not {}", option, format_range(least, most), text));
    }
    out = static_cast<std::remove_reference_t<decltype(out)>>(*value);
  }
  void duration(const char* option, const std::string& text, bool zero_allowed, Nanoseconds& out) {
    const Result<Nanoseconds> value = parse_duration(text);
    if (!value) return refuse(usage_error("{}: {}", option, value.error().message));
    if (!zero_allowed && value->count() == 0) {
      return refuse(usage_error("{} must be longer than 0", option));
    }
    out = *value;
  }
  void refuse(Error error) {
    if (!error_) error_ = std::move(error);
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<Error> error_;
};

template <typename Choice>
void read_choice(const char* option, const std::string& text, std::initializer_list<Choice> choices,
                 Reader& reader, Choice& out) {
  std::vector<std::string_view> names;
  for (const Choice choice : choices) {
    names.push_back(name_of(choice));
    if (names.back() != text) continue;
    out = choice;
    return;
  }
  const std::string_view last = names.back();
  names.pop_back();
  reader.refuse(
      usage_error("{} must be {} or {}, not \"{}\"", option, fmt::join(names, ", "), last, text));
}

void read_target(bool allow_remote, Reader& reader, Options& options);
// An empty text: the CPUs of the affinity mask.
void read_cpus(const std::string& text, Reader& reader, Options& options);
void read_sizes(const std::string& text, Reader& reader, Options& options);
void read_path_file(const std::string& name, Reader& reader, Options& options);

}  // namespace muxbench::loadgen
