#include "report/slices.h"

#include <algorithm>
#include <functional>

namespace muxbench::report {
namespace {

using Count = std::uint64_t;

// Calls `use(key, list)` for each list: the one table of their names.
template <typename SlicesType, typename Use>
void for_each_list(SlicesType& slices, const Use& use) {
  use("block", slices.block);
  use("started_ns", slices.started_ns);
  use("requests", slices.requests);
  use("elapsed_ns", slices.elapsed_ns);
  use("requests_in_run", slices.requests_in_run);
  use("server_cpu_ns", slices.server_cpu_ns);
  use("latency_mean_ns", slices.latency_mean_ns);
  use("latency_p50_ns", slices.latency_p50_ns);
  use("latency_p99_ns", slices.latency_p99_ns);
  use("disturbed", slices.disturbed);
}

template <typename Number>
Json value_json(const Number& number) {
  return number;
}
Json value_json(const std::optional<Count>& number) { return number ? Json(*number) : Json(); }

template <typename Number>
void read_value(const Json& json, Number& number) {
  number = json.get<Number>();
}
void read_value(const Json& json, std::optional<Count>& number) {
  if (!json.is_null()) number = json.get<Count>();
}

}  // namespace

Json to_json(const Slices& slices) {
  Json json{{"length_ns", slices.length_ns}, {"warmup_ns", slices.warmup_ns}};
  for_each_list(slices, [&](const char* key, const auto& list) {
    Json& values = json[key] = Json::array();
    for (const auto& value : list) values.push_back(value_json(value));
  });
  return json;
}

Slices read_slices(const Json& json) {
  Slices slices{.length_ns = json.at("length_ns").get<Count>(),
                .warmup_ns = json.at("warmup_ns").get<Count>()};
  for_each_list(slices, [&](const char* key, auto& list) {
    const Json& values = json.at(key);
    list.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) read_value(values[i], list[i]);
  });
  return slices;
}

bool consistent_slices(const Json& json) {
  const auto blocks = json.at("block").get<std::vector<Count>>();
  bool equally_long = true;
  const Slices names;
  for_each_list(names, [&](const char* key, const auto&) {
    equally_long = equally_long && json.at(key).size() == blocks.size();
  });
  const auto not_ascending =
      std::adjacent_find(blocks.begin(), blocks.end(), std::greater_equal<>());
  return equally_long && not_ascending == blocks.end();
}

}  // namespace muxbench::report
