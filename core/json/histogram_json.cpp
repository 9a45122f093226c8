#include "json/histogram_json.h"

#include "metrics/percentiles.h"

namespace muxbench {

Json distribution_json(const Histogram& histogram) {
  const std::uint64_t count = histogram.count();
  Json json{{"count", count}};
  if (count == 0) return json;
  json["mean"] = histogram.mean().count();
  json["min"] = histogram.min().count();
  json["max"] = histogram.max().count();
  for (const Percentile& percentile : supported_percentiles(count)) {
    json[percentile.name] = histogram.quantile(percentile.quantile).count();
  }
  return json;
}

Json buckets_json(const Histogram& histogram) {
  Json buckets = Json::array();
  histogram.each_bucket([&](Nanoseconds floor, std::uint64_t count) {
    buckets.push_back({floor.count(), count});
  });
  return buckets;
}

Json histogram_json(const Histogram& histogram) {
  return {{"significant_digits", 3}, {"buckets", buckets_json(histogram)}};
}

}  // namespace muxbench
