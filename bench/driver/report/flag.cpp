#include "report/flag.h"

#include <algorithm>
#include <array>

namespace muxbench {
namespace {

enum class Concerns { nothing, throughput_and_latency, everything };

Concerns concerns(const Flag& flag) {
  constexpr std::array kCaveats{"few_undisturbed", "host_state"};
  constexpr std::array kOfTheLoad{"saturated_load", "starved_load", "starved_server", "little_law",
                                  "throttled",      "host_share",   "host_latency"};
  const auto is_one_of = [&](const auto& kinds) {
    return std::find(kinds.begin(), kinds.end(), flag.kind) != kinds.end();
  };
  if (is_one_of(kCaveats)) return Concerns::nothing;
  return is_one_of(kOfTheLoad) ? Concerns::throughput_and_latency : Concerns::everything;
}

}  // namespace

bool forbids_ranking(const Flag& flag, std::string_view metric) {
  const bool of_the_server = metric.starts_with("server_");
  const Concerns what = concerns(flag);
  return what == Concerns::everything ||
         (what == Concerns::throughput_and_latency && !of_the_server);
}

const Flag* forbidding_flag(const std::vector<Flag>& flags, std::string_view metric) {
  const auto found = std::find_if(flags.begin(), flags.end(),
                                  [&](const Flag& flag) { return forbids_ranking(flag, metric); });
  return found == flags.end() ? nullptr : &*found;
}

std::string consequence_of(const Flag& flag) {
  switch (concerns(flag)) {
    case Concerns::everything:
      return ", so not ranked";
    case Concerns::throughput_and_latency:
      return ", so not ranked by throughput or latency";
    default:
      return "";
  }
}

}  // namespace muxbench
