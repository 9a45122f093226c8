// registration_cost/<mechanism>/<add, modify or delete>/batch:<B>: what it costs to tell the kernel
// what to watch.
//
// Unit: the time of one change. Inputs: 256 idle AF_UNIX socket pairs; B is how many changes travel
// in one system call, 1 or all 256. epoll_ctl takes one only; kevent, io_submit and io_uring_enter
// take many; real-time signals need three fcntl calls to add a descriptor and one to delete it.
// Timed: the calls that change all 256 registrations. Outside of it: opening the descriptors, and
// bringing the set back to where it was. poll and select have no such call: their list is handed
// over at each wait.
#include "benchmarks.h"
#include "registrars.h"
#include "samples.h"

namespace muxbench {
namespace {

constexpr std::size_t kDescriptors = 256;
constexpr std::int64_t kAll = kDescriptors;

enum class Operation { add, modify, remove };

// Not every mechanism can change a registration in place.
template <typename Registrar>
bool modify(Registrar& registrar) {
  if constexpr (requires { registrar.modify(); }) return registrar.modify();
  return false;
}

template <typename Registrar>
bool perform(Registrar& registrar, Operation operation) {
  switch (operation) {
    case Operation::add:
      return registrar.add();
    case Operation::modify:
      return modify(registrar);
    case Operation::remove:
      return registrar.remove();
  }
  return false;
}

template <typename Registrar>
void registration_cost(benchmark::State& state, Operation operation) {
  const auto borrowed = borrow_set(Pairs::socketpair, kDescriptors);
  if (!borrowed) return give_up(state, borrowed.error().message);
  const WatchedSet& set = **borrowed;
  Registrar registrar(set, static_cast<std::size_t>(state.range(0)));
  if (!registrar.open()) {
    return give_up(state, fmt::format("set-up failed: {}", describe(last_errno())));
  }
  bool good = operation == Operation::add || registrar.add();
  take_samples(state, kAll, [&](Region& region) {
    region.begin();
    good &= perform(registrar, operation);
    region.end();
    if (operation == Operation::add) good &= registrar.remove();
    if (operation == Operation::remove) good &= registrar.add();
    good &= registrar.settle();
    if (!good) region.make_error("a registration was refused");
  });
}

template <typename Registrar>
void add_registrations(const std::string& mechanism, const std::vector<Operation>& operations,
                       const std::vector<std::int64_t>& batches) {
  for (const Operation operation : operations) {
    const char* name = operation == Operation::add      ? "add"
                       : operation == Operation::modify ? "modify"
                                                        : "delete";
    add_benchmark(
        fmt::format("registration_cost/{}/{}", mechanism, name),
        [operation](benchmark::State& state) { registration_cost<Registrar>(state, operation); },
        "batch", batches);
  }
}

}  // namespace

void register_registration_cost(std::size_t pairs_allowed) {
  if (pairs_allowed < kDescriptors) {
    return add_missing("registration_cost",
                       "it takes 256 pairs of descriptors; raise the limit with ulimit -n");
  }
  const std::vector all{Operation::add, Operation::modify, Operation::remove};
  add_registrations<EpollControl>("epoll", all, {1});
  add_registrations<KeventChanges>("kevent", all, {1, kAll});
  add_registrations<SignalRequests>("rt_signal", {Operation::add, Operation::remove}, {1});
  if (const std::string reason = AioPoll::why_not(); !reason.empty()) {
    add_missing("registration_cost/aio_poll", reason);
  } else {
    add_registrations<AioSubmissions>("aio_poll", {Operation::add}, {1, kAll});
  }
#ifdef MUXBENCH_HAS_LIBURING
  if (const std::string reason = UringPoll::why_not(); !reason.empty()) {
    add_missing("registration_cost/uring_poll", reason);
  } else {
    add_registrations<UringPollRequests>("uring_poll", all, {1, kAll});
  }
#else
  add_missing("registration_cost/uring_poll", kNoLiburing);
#endif
}

}  // namespace muxbench
