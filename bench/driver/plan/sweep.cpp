#include "plan/sweep.h"

namespace muxbench {

std::string to_string(const SweepValue& value) {
  return value.is_number() ? std::to_string(value.number()) : "cpus";
}

void to_json(Json& json, const SweepValue& value) {
  json = value.is_number() ? Json(value.number()) : Json(to_string(value));
}

void from_json(const Json& json, SweepValue& value) {
  value = json.is_string() ? SweepValue(AllCpus{}) : SweepValue(json.get<std::uint64_t>());
}

std::string format_values(const Sweep& sweep) {
  std::string text;
  for (const SweepValue& value : sweep.values) {
    text += (text.empty() ? "" : ", ") + to_string(value);
  }
  return text;
}

std::string format_sweeps(const std::vector<Sweep>& list) {
  std::string text;
  for (const Sweep& sweep : list) {
    text += (text.empty() ? "" : "; ") + sweep.key + ' ' + format_values(sweep);
  }
  return text;
}

}  // namespace muxbench
