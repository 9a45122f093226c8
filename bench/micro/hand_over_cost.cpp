// hand_over_cost/<means>: giving a piece of work, or a connection, to somebody else and hearing
// back that it was taken.
//
// Timed: the whole round trip, by wall clock, both sides allowed on the same CPUs. Outside:
// starting the partner, where it lives longer than one hand-over.
#include <benchmark/benchmark.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/unique_fd.h"
#include "benchmarks.h"

namespace muxbench {
namespace {

// A thread pool's queue with one place, and the answer coming back the same way.
void queue_round_trip(benchmark::State& state) {
  std::mutex mutex;
  std::condition_variable changed;
  enum class Turn { caller, worker, over } turn = Turn::caller;
  std::jthread worker([&] {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [&] { return turn != Turn::caller; });
      if (turn == Turn::over) return;
      turn = Turn::caller;
      changed.notify_one();
    }
  });
  const auto give = [&](Turn next) {
    std::unique_lock lock(mutex);
    turn = next;
    changed.notify_one();
    if (next == Turn::worker) changed.wait(lock, [&] { return turn == Turn::caller; });
  };
  for (auto _ : state) give(Turn::worker);
  give(Turn::over);
}

void eventfd_round_trip(benchmark::State& state) {
  const UniqueFd there(::eventfd(0, EFD_CLOEXEC));
  const UniqueFd back(::eventfd(0, EFD_CLOEXEC));
  constexpr std::uint64_t kOver = 2;
  std::jthread worker([&] {
    eventfd_t value = 0;
    while (::eventfd_read(there.get(), &value) == 0 && value != kOver)
      ::eventfd_write(back.get(), 1);
  });
  eventfd_t answer = 0;
  for (auto _ : state) {
    ::eventfd_write(there.get(), 1);
    ::eventfd_read(back.get(), &answer);
  }
  ::eventfd_write(there.get(), kOver);
}

void fork_and_wait(benchmark::State& state) {
  for (auto _ : state) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    if (child < 0 || ::waitpid(child, nullptr, 0) != child)
      return state.SkipWithError("fork failed");
  }
}

void thread_and_join(benchmark::State& state) {
  for (auto _ : state) {
    pthread_t thread;
    if (::pthread_create(
            &thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr) != 0) {
      return state.SkipWithError("pthread_create failed");
    }
    ::pthread_join(thread, nullptr);
  }
}

// A descriptor through an AF_UNIX socket (unix(7), SCM_RIGHTS), sent and received by the same
// thread.
void pass_descriptor(benchmark::State& state) {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return state.SkipWithError("no socketpair");
  const UniqueFd left(ends[0]);
  const UniqueFd right(ends[1]);
  for (auto _ : state) {
    char byte = 'x';
    iovec piece{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int given = left.get();
    std::memcpy(CMSG_DATA(header), &given, sizeof given);
    if (::sendmsg(left.get(), &message, 0) != 1 ||
        ::recvmsg(right.get(), &message, MSG_CMSG_CLOEXEC) != 1) {
      return state.SkipWithError("passing a descriptor failed");
    }
    int taken = -1;
    std::memcpy(&taken, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof taken);
    const UniqueFd closes(taken);
  }
}

}  // namespace

void register_hand_over_cost() {
  const auto add = [](const char* name, void (*function)(benchmark::State&)) {
    benchmark::RegisterBenchmark(name, function)->UseRealTime();
  };
  add("hand_over_cost/thread_pool_queue", queue_round_trip);
  add("hand_over_cost/eventfd", eventfd_round_trip);
  add("hand_over_cost/fork_wait", fork_and_wait);
  add("hand_over_cost/pthread_create_join", thread_and_join);
  add("hand_over_cost/scm_rights", pass_descriptor);
}

}  // namespace muxbench
