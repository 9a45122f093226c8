// registration_cost/<what>/<N>: what it costs to tell the kernel what to watch, per descriptor
// (items_per_second counts them).
//
// Timed: the calls that add, change or remove N registrations, by clock readings around all N.
// Outside: opening the descriptors, and bringing the set back to where it was. poll and select have
// no such call: their list is handed over at each wait.
#include <benchmark/benchmark.h>

#include "base/clock.h"
#include "benchmarks.h"
#include "waiters.h"

namespace muxbench {
namespace {

constexpr std::size_t kDescriptors = 256;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void control_all(int epoll, int operation, std::uint32_t events, const WatchedSet& set) {
  for (const UniqueFd& fd : set.watched()) {
    epoll_event event{.events = events, .data = {.fd = fd.get()}};
    ::epoll_ctl(epoll, operation, fd.get(), &event);
  }
}

// The operation named is timed; the ones that lead back to the starting point are not.
void epoll_control(benchmark::State& state, int operation) {
  const auto set = WatchedSet::make(Pairs::socketpair, kDescriptors);
  if (!set) return state.SkipWithError(set.error().message.c_str());
  const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (operation != EPOLL_CTL_ADD) control_all(epoll.get(), EPOLL_CTL_ADD, EPOLLIN, *set);
  std::uint32_t events = EPOLLIN;
  for (auto _ : state) {
    if (operation == EPOLL_CTL_MOD) events ^= EPOLLIN | EPOLLOUT;
    const auto begin = Clock::now();
    control_all(epoll.get(), operation, events, *set);
    state.SetIterationTime(seconds_since(begin));
    if (operation == EPOLL_CTL_ADD) control_all(epoll.get(), EPOLL_CTL_DEL, 0, *set);
    if (operation == EPOLL_CTL_DEL) control_all(epoll.get(), EPOLL_CTL_ADD, EPOLLIN, *set);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kDescriptors));
}

#ifdef MUXBENCH_HAS_LIBURING
// Arms a poll for every descriptor, `batch` of them with each io_uring_enter.
void uring_arm(benchmark::State& state) {
  const auto batch = static_cast<std::size_t>(state.range(0));
  const auto set = WatchedSet::make(Pairs::socketpair, kDescriptors);
  if (!set) return state.SkipWithError(set.error().message.c_str());
  io_uring ring{};
  if (const int status = ::io_uring_queue_init(2 * kDescriptors, &ring, 0); status != 0) {
    return state.SkipWithError(describe(static_cast<Errno>(-status)).c_str());
  }
  for (auto _ : state) {
    const auto begin = Clock::now();
    for (std::size_t i = 0; i < kDescriptors; ++i) {
      io_uring_sqe* sqe = ::io_uring_get_sqe(&ring);
      ::io_uring_prep_poll_add(sqe, set->watched()[i].get(), POLLIN);
      if ((i + 1) % batch == 0) ::io_uring_submit(&ring);
    }
    state.SetIterationTime(seconds_since(begin));
    io_uring_sqe* sqe = ::io_uring_get_sqe(&ring);
    ::io_uring_prep_cancel(sqe, nullptr, IORING_ASYNC_CANCEL_ANY);
    ::io_uring_submit_and_wait(&ring, kDescriptors + 1);
    ::io_uring_cq_advance(&ring, ::io_uring_cq_ready(&ring));
  }
  ::io_uring_queue_exit(&ring);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kDescriptors));
}
#endif

}  // namespace

void register_registration_cost(std::size_t largest) {
  if (largest < kDescriptors) {
    return register_missing("registration_cost",
                            "the descriptor limit is too low; raise it with ulimit -n");
  }
  constexpr std::pair<int, const char*> kOperations[] = {
      {EPOLL_CTL_ADD, "add"}, {EPOLL_CTL_MOD, "modify"}, {EPOLL_CTL_DEL, "delete"}};
  for (const auto& [operation, name] : kOperations) {
    benchmark::RegisterBenchmark(
        fmt::format("registration_cost/epoll_{}", name).c_str(),
        [operation = operation](benchmark::State& s) { epoll_control(s, operation); })
        ->UseManualTime();
  }
#ifdef MUXBENCH_HAS_LIBURING
  benchmark::RegisterBenchmark("registration_cost/uring_poll_add/batch", uring_arm)
      ->Arg(1)
      ->Arg(static_cast<std::int64_t>(kDescriptors))
      ->UseManualTime();
#else
  register_missing("registration_cost/uring_poll_add", "built without liburing");
#endif
}

}  // namespace muxbench
