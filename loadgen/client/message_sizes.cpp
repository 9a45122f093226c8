#include "client/message_sizes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/parse.h"
#include "client/pattern.h"

namespace muxbench::loadgen {
namespace {

bool read_size(std::string_view text, std::uint32_t& out) {
  const Result<std::uint64_t> size = parse_count(text);
  if (!size || *size < 1 || *size > MessageSizes::kLargest) return false;
  out = static_cast<std::uint32_t>(*size);
  return true;
}

}  // namespace

Result<MessageSizes> MessageSizes::parse(std::string_view text) {
  const auto refuse = [&] {
    return usage_error(
        "\"{}\" is not a message size; write one from 1 B to 1 MiB, a range such as 64-1024, or "
        "weighted ones such as 64*90,4KiB*9,1MiB*1",
        text);
  };
  MessageSizes sizes(0U);
  double sum = 0;
  std::string_view rest = text;
  while (true) {
    std::string_view item = rest.substr(0, rest.find(','));
    Range range;
    if (const std::size_t star = item.find('*'); star != std::string_view::npos) {
      const Result<std::uint64_t> weight = parse_count(item.substr(star + 1));
      if (!weight || *weight == 0) return refuse();
      range.weight = static_cast<double>(*weight);
      item = item.substr(0, star);
    }
    const std::size_t dash = item.find('-');
    if (!read_size(item.substr(0, dash), range.least)) return refuse();
    range.most = range.least;
    if (dash != std::string_view::npos && !read_size(item.substr(dash + 1), range.most)) {
      return refuse();
    }
    if (range.most < range.least) return refuse();
    sum += range.weight;
    sizes.largest_ = std::max(sizes.largest_, range.most);
    sizes.ranges_.push_back(range);
    if (rest.find(',') == std::string_view::npos) break;
    rest.remove_prefix(rest.find(',') + 1);
  }
  double up_to = 0;
  for (Range& range : sizes.ranges_) range.up_to = (up_to += range.weight) / sum;
  if (sizes.smallest() == sizes.largest_) sizes.fixed_ = sizes.largest_;
  return sizes;
}

std::uint32_t MessageSizes::draw(std::uint32_t connection, std::uint32_t message) const noexcept {
  const std::uint64_t random = mix(mix(std::uint64_t{connection} << 32 | message));
  const double choice = static_cast<double>(random >> 32) * 0x1.0p-32;
  const Range* range = ranges_.data();
  while (range != &ranges_.back() && choice >= range->up_to) ++range;
  const std::uint64_t width = range->most - range->least + 1;
  return range->least + static_cast<std::uint32_t>((random & 0xffffffffU) * width >> 32);
}

std::uint32_t MessageSizes::smallest() const noexcept {
  std::uint32_t least = largest_;
  for (const Range& range : ranges_) least = std::min(least, range.least);
  return least;
}

std::uint32_t MessageSizes::mean() const noexcept {
  if (fixed_ != 0) return fixed_;
  double mean = 0;
  double before = 0;
  for (const Range& range : ranges_) {
    mean += (range.up_to - before) * (range.least + static_cast<double>(range.most)) / 2;
    before = range.up_to;
  }
  return static_cast<std::uint32_t>(std::llround(mean));
}

std::string MessageSizes::to_string() const {
  if (fixed_ != 0) return fmt::format("{}", fixed_);
  std::vector<std::string> items;
  for (const Range& range : ranges_) {
    std::string item = fmt::format("{}", range.least);
    if (range.most != range.least) item += fmt::format("-{}", range.most);
    if (ranges_.size() > 1) item += fmt::format("*{}", range.weight);
    items.push_back(std::move(item));
  }
  return fmt::format("{}", fmt::join(items, ","));
}

}  // namespace muxbench::loadgen
