#include "base/parse.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace muxbench {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array kDurationUnits{Unit{"ns", 1}, Unit{"us", 1e3}, Unit{"ms", 1e6}, Unit{"s", 1e9},
                                    Unit{"m", 60e9}};
constexpr std::array kCountUnits{
    Unit{"", 1},       Unit{"k", 1e3},       Unit{"K", 1e3},         Unit{"M", 1e6},
    Unit{"KiB", 1024}, Unit{"MiB", 1048576}, Unit{"GiB", 1073741824}};

struct Quantity {
  double value;
  std::string_view unit;
};

bool read_quantity(std::string_view text, Quantity& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.value);
  out.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  return error == std::errc{} && std::isfinite(out.value) && out.value >= 0;
}

template <std::size_t N>
const Unit* find_unit(const std::array<Unit, N>& units, std::string_view name) {
  const auto* found =
      std::find_if(units.begin(), units.end(), [&](const Unit& unit) { return unit.name == name; });
  return found == units.end() ? nullptr : found;
}

}  // namespace

Result<Nanoseconds> parse_duration(std::string_view text) {
  Quantity quantity{};
  if (text == "0") return Nanoseconds(0);
  if (read_quantity(text, quantity)) {
    const Unit* unit = find_unit(kDurationUnits, quantity.unit);
    const double nanoseconds = unit == nullptr ? -1 : quantity.value * unit->factor;
    if (nanoseconds >= 0 && nanoseconds < 9e18) {
      return Nanoseconds(static_cast<Nanoseconds::rep>(std::llround(nanoseconds)));
    }
  }
  return usage_error(
      "\"{}\" is not a duration; write a number and a unit, such as 20us, 300ms or 1.5s", text);
}

Result<std::uint64_t> parse_count(std::string_view text) {
  Quantity quantity{};
  if (read_quantity(text, quantity)) {
    const Unit* unit = find_unit(kCountUnits, quantity.unit);
    const double count = unit == nullptr ? -1 : quantity.value * unit->factor;
    if (count >= 0 && count < 9e15 && count == std::floor(count)) {
      return static_cast<std::uint64_t>(count);
    }
  }
  return usage_error("\"{}\" is not a whole number; write one such as 64, 20k or 16KiB", text);
}

std::string to_string(Nanoseconds duration) {
  const auto count = static_cast<double>(duration.count());
  if (count < 1e3) return fmt::format("{} ns", duration.count());
  if (count < 1e6) return fmt::format("{:.4g} us", count / 1e3);
  if (count < 1e9) return fmt::format("{:.4g} ms", count / 1e6);
  return fmt::format("{:.4g} s", count / 1e9);
}

Result<std::vector<int>> parse_cpu_list(std::string_view text) {
  const auto bad = [&] {
    return usage_error("\"{}\" is not a list of CPUs; write numbers and ranges, such as 0,2 or 0-3",
                       text);
  };
  std::vector<int> cpus;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    int first = 0;
    auto read = std::from_chars(at, end, first);
    if (read.ec != std::errc{}) return bad();
    int last = first;
    if (read.ptr != end && *read.ptr == '-') {
      read = std::from_chars(read.ptr + 1, end, last);
      if (read.ec != std::errc{}) return bad();
    }
    if (first < 0 || last < first || last >= CPU_SETSIZE) return bad();
    for (int cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
    if (read.ptr == end) break;
    if (*read.ptr != ',') return bad();
    at = read.ptr + 1;
  }
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

}  // namespace muxbench
