#include "engine/commands.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <iterator>
#include <sstream>
#include <utility>
#include <vector>

#include "engine/interrupt.h"

namespace muxbench::loadgen {
namespace {

constexpr std::size_t kLongestLine = 256;
constexpr std::uint64_t kLongestNs = 3'600'000'000'000;  // an hour

std::vector<std::string> words_of(std::string_view line) {
  std::istringstream stream{std::string(line)};
  return {std::istream_iterator<std::string>(stream), {}};
}

std::optional<std::uint64_t> number_in(std::string_view word, std::uint64_t least,
                                       std::uint64_t most) {
  std::uint64_t number = 0;
  const char* const end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, number);
  if (error != std::errc() || stop != end || number < least || number > most) return std::nullopt;
  return number;
}

Result<Command> parse_slice(std::string_view line, const std::vector<std::string>& words,
                            const Options& options) {
  if (options.requests != 0) {
    return usage_error(
        "\"{}\": a slice lasts a time, not a number of requests; leave out --requests", line);
  }
  const bool with_rate = words.size() == 4;
  if (with_rate && options.rate == 0) {
    return usage_error("\"{}\": the RATE of a slice is for an open loop; add --rate", line);
  }
  const bool complete = words.size() == 3 || with_rate;
  const auto warmup = complete ? number_in(words[1], 0, kLongestNs) : std::nullopt;
  const auto duration = complete ? number_in(words[2], 1, kLongestNs) : std::nullopt;
  const auto rate = with_rate ? number_in(words[3], 1, kMostPerSecond) : options.rate;
  if (!warmup || !duration || !rate) {
    return usage_error(
        "\"{}\" is no slice; send slice WARMUP_NS DURATION_NS [RATE], whole numbers, of at most an "
        "hour and {} per second",
        line, kMostPerSecond);
  }
  return Command{.kind = Command::Kind::slice,
                 .warmup = Nanoseconds(*warmup),
                 .duration = Nanoseconds(*duration),
                 .rate = *rate};
}

}  // namespace

Result<Command> parse_command(std::string_view line, const Options& options) {
  const std::vector<std::string> words = words_of(line);
  if (words.size() == 1 && words[0] == "go") return Command{.kind = Command::Kind::go};
  if (words.size() == 1 && words[0] == "end") return Command{.kind = Command::Kind::end};
  if (!words.empty() && words[0] == "slice") return parse_slice(line, words, options);
  return usage_error("\"{}\" is no command; send go, slice WARMUP_NS DURATION_NS [RATE], or end",
                     line);
}

std::optional<std::string> CommandInput::next() {
  while (true) {
    const std::size_t end = ahead_.find('\n');
    if (end != std::string::npos || ahead_.size() > kLongestLine) {
      const std::string line = ahead_.substr(0, end);
      ahead_.erase(0, end == std::string::npos ? end : end + 1);
      return line;
    }
    if (!await_readable(STDIN_FILENO)) return std::nullopt;
    std::array<char, kLongestLine> bytes;
    const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got <= 0) return ahead_.empty() ? std::nullopt : std::optional(std::exchange(ahead_, {}));
    ahead_.append(bytes.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace muxbench::loadgen
