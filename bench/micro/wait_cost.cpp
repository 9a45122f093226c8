// wait_cost/<primitive>/<pairs>/ready:<share>/watched:<N>: one call that reports K ready descriptors
// out of N watched ones.
//
// Unit: the time of that call. Inputs: N = `watched`, from 8 up to the largest of the run; K is 1,
// N/10 or N, spread evenly over the N; the descriptors are the reading ends of AF_UNIX stream socket
// pairs, or of pipes. select is measured up to the number of descriptors that it can watch.
// Timed: the one call. Each sample begins by writing a byte to the K partners and ends by reading it
// again and re-arming what is one-shot: the same writes and reads for every primitive, untimed.
// Where one call does not report all K (kevent over our shim: 512 a call; io_uring since Linux 6.13:
// 20; sigwaitinfo: one), as many as it takes are timed together, and the counter `calls` has their
// number.
// Looking through what the call returned is not timed for any of them.
#include <array>

#include "benchmarks.h"
#include "samples.h"
#include "time_plan.h"
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
  const auto borrowed = borrow_set(pairs, watched);
  if (!borrowed) return give_up(state, borrowed.error().message);
  const WatchedSet& set = **borrowed;
  Waiter waiter;
  if (const auto good = waiter.watch(set); !good) {
    return give_up(state, good.error().message);
  }
  std::size_t calls = 0;
  take_samples(state, 1, [&](Region& region) {
    set.fill(ready);
    region.begin();
    std::size_t found = 0;
    calls = 0;
    do {
      found += waiter.wait(ready - found);
      ++calls;
    } while (found < ready && calls < ready);
    region.end();
    if (found != ready) {
      region.make_error(fmt::format("{} of {} ready descriptors were reported", found, ready));
    }
    set.drain(ready);
    waiter.rearm();
  });
  state.SetComplexityN(state.range(0));
  state.counters["calls"] = static_cast<double>(calls);
  state.counters["ready"] = static_cast<double>(ready);
}

// Whether the primitive does here what it should: what is wrong, or nothing.
template <typename Waiter>
std::string try_out() {
  const auto borrowed = borrow_set(Pairs::socketpair, 8);
  if (!borrowed) return borrowed.error().message;
  const WatchedSet& set = **borrowed;
  Waiter waiter;
  if (const auto good = waiter.watch(set); !good) return good.error().message;
  set.fill(1);
  const std::size_t found = waiter.wait(1);
  set.drain(1);
  return found == 1 ? "" : fmt::format("{} instead of 1 ready descriptors were reported", found);
}

template <typename Waiter>
void register_waiter(std::size_t largest) {
  constexpr std::array kPairs{std::pair{Pairs::socketpair, "socketpair"},
                              std::pair{Pairs::pipe, "pipe"}};
  constexpr std::array kShares{std::pair{Ready::one, "one"}, std::pair{Ready::tenth, "tenth"},
                               std::pair{Ready::all, "all"}};
  if (const std::string reason = Waiter::why_not(); !reason.empty()) {
    return add_missing(fmt::format("wait_cost/{}", Waiter::kName), reason);
  }
  if (const std::string error = try_out<Waiter>(); !error.empty()) {
    return add_failing(fmt::format("wait_cost/{}", Waiter::kName), error);
  }
  const auto sizes = sizes_up_to(std::min(largest, Waiter::largest()));
  for (const auto& [pairs, pairs_name] : kPairs) {
    for (const auto& [share, share_name] : kShares) {
      const auto name =
          fmt::format("wait_cost/{}/{}/ready:{}", Waiter::kName, pairs_name, share_name);
      const auto function = [pairs = pairs, share = share](benchmark::State& state) {
        wait_cost<Waiter>(state, pairs, share);
      };
      add_benchmark(name, function, kWatched, {sizes.begin(), sizes.end()})->Complexity();
    }
  }
}

}  // namespace

void register_wait_cost(std::size_t largest) {
  register_waiter<Select>(largest);
  register_waiter<Poll>(largest);
  register_waiter<EpollLevel>(largest);
  register_waiter<EpollEdge>(largest);
  register_waiter<Kevent>(largest);
  register_waiter<RealTimeSignals>(largest);
  register_waiter<SignalsOneByOne>(largest);
  register_waiter<AioPoll>(largest);
#ifdef MUXBENCH_HAS_LIBURING
  register_waiter<UringPoll>(largest);
#else
  add_missing("wait_cost/uring_poll", kNoLiburing);
#endif
}

}  // namespace muxbench
