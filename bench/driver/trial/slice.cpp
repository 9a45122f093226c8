#include "trial/slice.h"

#include <algorithm>
#include <cmath>

#include "json/histogram_json.h"

namespace muxbench {
namespace {

Nanoseconds time_at(const Json& json, const char* pointer) {
  return Nanoseconds(std::llround(number_at(json, pointer).value_or(0)));
}

Histogram::Written read_latency(const Json& json) {
  Histogram::Written latency{.buckets = {},
                             .sum = static_cast<std::uint64_t>(number_at(json, "/sum").value_or(0)),
                             .min = time_at(json, "/min"),
                             .max = time_at(json, "/max")};
  for (const Json& bucket : json.value("buckets", Json::array())) {
    latency.buckets.emplace_back(Nanoseconds(bucket.at(0).get<Nanoseconds::rep>()),
                                 bucket.at(1).get<std::uint64_t>());
  }
  return latency;
}

std::uint64_t count_of(const Histogram::Written& latency) {
  std::uint64_t count = 0;
  for (const auto& [floor, samples] : latency.buckets) count += samples;
  return count;
}

// The nearest rank, to within its bucket.
double quantile(const Histogram::Written& latency, std::uint64_t count, double q) {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count)));
  std::uint64_t seen = 0;
  for (const auto& [floor, samples] : latency.buckets) {
    seen += samples;
    if (seen >= wanted) return static_cast<double>(floor.count());
  }
  return static_cast<double>(latency.max.count());
}

}  // namespace

std::optional<Slice> read_slice(const Json& document) try {
  if (!document.is_object() || !document.contains("slice")) return {};
  const Json& json = document.at("slice");
  return Slice{.requests = number_at(json, "/requests").value_or(0),
               .elapsed_ns = number_at(json, "/elapsed_ns").value_or(0),
               .requests_per_second = number_at(json, "/requests_per_second").value_or(0),
               .latency = read_latency(json.at("latency_ns")),
               .requests_in_run = number_at(json, "/requests_in_run").value_or(0)};
} catch (const Json::exception&) {
  return {};
}

bool is_ok(const Json& document) { return text_at(document, "/slice/status") == "ok"; }

SliceLatency latency_of(const Slice& slice) {
  constexpr std::uint64_t kFewestForMedian = 10;
  constexpr std::uint64_t kFewestForP99 = 100;
  const std::uint64_t count = count_of(slice.latency);
  SliceLatency latency;
  if (count == 0) return latency;
  latency.mean_ns = static_cast<double>(slice.latency.sum) / static_cast<double>(count);
  if (count >= kFewestForMedian) latency.p50_ns = quantile(slice.latency, count, 0.5);
  if (count >= kFewestForP99) latency.p99_ns = quantile(slice.latency, count, 0.99);
  return latency;
}

std::size_t undisturbed(const std::vector<Slice>& slices) {
  return static_cast<std::size_t>(std::count_if(
      slices.begin(), slices.end(), [](const Slice& slice) { return !slice.disturbed; }));
}

LoadResult result_of_slices(const LoadResult& session, const std::vector<Slice>& slices) {
  Json document = session.document;
  if (!document.is_object()) return session;
  Histogram latency;
  double requests = 0;
  double elapsed = 0;
  double answered = 0;  // rate times time: of several threads each has its own time
  double in_run = 0;
  for (const Slice& slice : slices) {
    in_run += slice.requests_in_run;
    if (slice.disturbed) continue;
    latency.merge(slice.latency);
    requests += slice.requests;
    elapsed += slice.elapsed_ns;
    answered += slice.requests_per_second * slice.elapsed_ns;
  }
  Json all = document.value("latency_ns", Json::object());
  all.erase("histogram");
  document["latency_of_all_ns"] = std::move(all);
  document["requests"] = std::llround(requests);
  document["requests_in_run"] = std::llround(in_run);
  document["latency_ns"] = distribution_json(latency);
  document["latency_ns"]["histogram"] = histogram_json(latency);
  document["achieved"]["duration_ns"] = std::llround(elapsed);
  document["achieved"].erase("requests_per_second");
  if (elapsed > 0) document["achieved"]["requests_per_second"] = answered / elapsed;
  document.erase("series");  // of whole seconds, which no slice is
  return read_load_result(std::move(document)).value_or(session);
}

}  // namespace muxbench
