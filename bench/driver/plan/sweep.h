// What an experiment sweeps: a key of LoadSettings and its values.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "json/json.h"

namespace muxbench {

// In a sweep of `workers`: as many as the server has CPUs. A file says "cpus".
struct AllCpus {
  auto operator<=>(const AllCpus&) const = default;
};

struct SweepValue {
  SweepValue(std::uint64_t number = 0) : value(number) {}  // NOLINT: implicit on purpose
  SweepValue(AllCpus all) : value(all) {}                  // NOLINT: implicit on purpose

  bool is_number() const noexcept { return std::holds_alternative<std::uint64_t>(value); }
  // Of what a run has: for_cpus() puts a number in the place of AllCpus.
  std::uint64_t number() const { return std::get<std::uint64_t>(value); }
  auto operator<=>(const SweepValue&) const = default;

  std::variant<std::uint64_t, AllCpus> value;
};

struct Sweep {
  std::string key;
  std::vector<SweepValue> values;
  bool operator==(const Sweep&) const = default;
};

std::string to_string(const SweepValue& value);  // "8" or "cpus"
void to_json(Json& json, const SweepValue& value);
void from_json(const Json& json, SweepValue& value);
std::string format_values(const Sweep& sweep);              // "1, 2, cpus"
std::string format_sweeps(const std::vector<Sweep>& list);  // "idle 0, 100; workers 1, cpus"

}  // namespace muxbench
