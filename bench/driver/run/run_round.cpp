#include "run/run_round.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <numeric>
#include <random>

#include "base/shuffle.h"
#include "system/interrupt.h"

namespace muxbench {
namespace {

using Members = std::vector<std::unique_ptr<RoundMember>>;

// Each with a folder of its own: all their sockets are there at once.
Members open_members(RoundRequest& request) {
  Members members;
  for (RoundPart& part : request.parts) {
    part.setup.scratch += fmt::format("/{}", members.size());
    std::filesystem::create_directories(part.setup.scratch);
    members.push_back(std::make_unique<RoundMember>(part.setup, request.began));
    if (interrupted()) break;
  }
  return members;
}

// Some slices of the reference before the first block: how many requests does one hold here? The best
// of them says it, as others may disturb the rest.
SlicePlan calibrate(const RoundRequest& request, Members& members) {
  constexpr int kTries = 3;
  if (request.calibrated) return request.plan;
  double best = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!request.parts[i].reference) continue;
    for (int tried = 0; tried < kTries && members[i]->takes_part(); ++tried) {
      const auto slice = members[i]->try_slice(request.plan);
      if (slice) best = std::max(best, slice->requests_per_second);
    }
  }
  return best > 0 ? calibrated(request.plan, best) : request.plan;
}

// How many blocks there were.
unsigned take_turns(const RoundRequest& request, const SlicePlan& plan, Members& members) {
  const auto begin = Clock::now();
  std::mt19937_64 generator(request.seed);
  std::vector<std::size_t> order(members.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (unsigned block = 0; block < plan.blocks; ++block) {
    const bool enough = block >= kFewestBlocks;
    if (enough && request.blocks_time && Clock::now() - begin >= *request.blocks_time) {
      return block;
    }
    shuffle(std::span(order), generator);
    for (const std::size_t place : order) {
      if (interrupted()) return block;
      members[place]->take_turn(block, plan, request.foreign);
    }
  }
  return plan.blocks;
}

}  // namespace

RoundResult run_round(const RoundRequest& asked) {
  const auto begin = Clock::now();
  RoundRequest request = asked;
  Members members = open_members(request);
  RoundResult result{.plan = calibrate(request, members), .took = {}, .found = {}};
  const auto open = Clock::now();
  const unsigned blocks = take_turns(request, result.plan, members);
  const auto done = Clock::now();
  for (std::size_t i = 0; i < members.size() && request.counter != nullptr; ++i) {
    if (request.parts[i].counted && !interrupted()) {
      members[i]->count(*request.counter, result.plan);
    }
  }
  const auto counted = Clock::now();
  for (const auto& member : members) member->drain();
  for (const auto& member : members) member->leave();
  for (const auto& member : members) {
    RoundMember::Found& found = result.found.emplace_back(member->finish());
    found.result.slice_plan = result.plan;
    if (found.counts) found.counts->slice_plan = result.plan;
  }
  reap_orphans();
  result.took = {.opening = open - begin + (Clock::now() - counted),
                 .block = (done - open) / std::max(blocks, 1U),
                 .counting = counted - done};
  return result;
}

}  // namespace muxbench
