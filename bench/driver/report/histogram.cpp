#include "report/histogram.h"

#include <bit>

namespace muxbench {
namespace {

constexpr unsigned kKeptBits = 8;  // 128 buckets for each power of two

std::uint64_t coarse_floor(std::uint64_t value) noexcept {
  const auto width = static_cast<unsigned>(std::bit_width(value));
  const unsigned shift = width > kKeptBits ? width - kKeptBits : 0;
  return value >> shift << shift;
}

void coarsen(Json& histogram) {
  Json merged = Json::array();
  for (const Json& bucket : histogram.at("buckets")) {
    const auto floor = coarse_floor(bucket.at(0).get<std::uint64_t>());
    const auto count = bucket.at(1).get<std::uint64_t>();
    if (!merged.empty() && merged.back().at(0) == floor) {
      merged.back().at(1) = merged.back().at(1).get<std::uint64_t>() + count;
    } else {
      merged.push_back({floor, count});
    }
  }
  histogram["significant_digits"] = 2;
  histogram["buckets"] = std::move(merged);
}

}  // namespace

void coarsen_histograms(Json& load) {
  for (auto& [key, member] : load.items()) {
    if (!member.is_object() || !member.contains("histogram")) continue;
    try {
      coarsen(member["histogram"]);
    } catch (const Json::exception&) {
      // A program that is not ours may print another shape; it is kept as it is.
    }
  }
}

}  // namespace muxbench
