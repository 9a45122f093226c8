// wait_cost/<primitive>/<pairs>/ready:<share>/<N>: one call that reports K ready descriptors out of
// N watched ones.
//
// Timed: the one call alone, by two clock readings (about 50 ns, in every result alike). Outside:
// making the K descriptors readable, emptying them, and re-arming what is one-shot; they are the
// same writes and reads for every primitive. K is 1, N/10 or N. select is measured only up to the
// number of descriptors that it can watch.
#include <benchmark/benchmark.h>

#include "base/clock.h"
#include "benchmarks.h"
#include "waiters.h"

namespace muxbench {
namespace {

enum class Ready { one, tenth, all };

std::size_t count_of(Ready ready, std::size_t watched) {
  if (ready == Ready::one) return 1;
  return ready == Ready::tenth ? std::max<std::size_t>(1, watched / 10) : watched;
}

template <typename Waiter>
void wait_cost(benchmark::State& state, Pairs pairs, Ready share) {
  const auto watched = static_cast<std::size_t>(state.range(0));
  const std::size_t ready = count_of(share, watched);
  const auto set = WatchedSet::make(pairs, watched);
  if (!set) return state.SkipWithError(set.error().message.c_str());
  Waiter waiter(*set);
  for (auto _ : state) {
    set->fill(ready);
    const auto begin = Clock::now();
    const std::size_t found = waiter.wait();
    const auto end = Clock::now();
    if (found != ready) {
      const auto what = fmt::format("{} of {} ready descriptors were reported", found, ready);
      return state.SkipWithError(what.c_str());
    }
    state.SetIterationTime(std::chrono::duration<double>(end - begin).count());
    set->drain(ready);
    waiter.rearm();
  }
  state.SetComplexityN(state.range(0));
  state.counters["ready"] = static_cast<double>(ready);
}

template <typename Waiter>
void register_waiter(std::size_t largest) {
  constexpr std::pair<Pairs, const char*> kPairs[] = {{Pairs::socketpair, "socketpair"},
                                                      {Pairs::pipe, "pipe"}};
  constexpr std::pair<Ready, const char*> kShares[] = {
      {Ready::one, "one"}, {Ready::tenth, "tenth"}, {Ready::all, "all"}};
  largest = std::min(largest, Waiter::largest());
  for (const auto& [pairs, pairs_name] : kPairs) {
    for (const auto& [share, share_name] : kShares) {
      const auto name =
          fmt::format("wait_cost/{}/{}/ready:{}", Waiter::kName, pairs_name, share_name);
      auto* benchmark = benchmark::RegisterBenchmark(
          name.c_str(), [pairs = pairs, share = share](benchmark::State& s) {
            wait_cost<Waiter>(s, pairs, share);
          });
      for (std::size_t n = 8; n < largest; n *= 4) benchmark->Arg(static_cast<std::int64_t>(n));
      benchmark->Arg(static_cast<std::int64_t>(largest))->UseManualTime()->Complexity();
    }
  }
}

}  // namespace

void register_wait_cost(std::size_t largest) {
  register_waiter<Select>(largest);
  register_waiter<Poll>(largest);
  register_waiter<EpollLevel>(largest);
  register_waiter<EpollEdge>(largest);
  register_waiter<RealTimeSignals>(largest);
  register_waiter<AioPoll>(largest);
#ifdef MUXBENCH_HAS_LIBURING
  register_waiter<UringPoll>(largest);
#else
  register_missing("wait_cost/uring_poll", "built without liburing");
#endif
}

}  // namespace muxbench
