// hand_over_cost/<means>: giving a piece of work, or a connection, to somebody else and hearing back
// that it was taken.
//
// Unit: the time of one hand-over. Inputs: for a thread that waits, the CPU that it runs on, the
// giver's or another one; a process or thread that is made for the purpose starts on the giver's.
// Timed: the whole round trip by wall clock: from giving until the answer, the exit or the join.
// Outside of it: starting the partner where it outlives one hand-over.
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
#include "cpus.h"
#include "samples.h"
#include "watched_set.h"

namespace muxbench {
namespace {

// A thread pool's queue with one place, and the answer coming back the same way.
void queue_round_trip(benchmark::State& state, std::optional<int> cpu) {
  std::mutex mutex;
  std::condition_variable changed;
  enum class Turn { caller, worker, over } turn = Turn::caller;
  std::jthread worker([&] {
    if (cpu) move_thread_to(*cpu);
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
    return true;
  };
  time_loop(state, "the queue", [&] { return give(Turn::worker); });
  give(Turn::over);
}

void eventfd_round_trip(benchmark::State& state, std::optional<int> cpu) {
  const UniqueFd there(::eventfd(0, EFD_CLOEXEC));
  const UniqueFd back(::eventfd(0, EFD_CLOEXEC));
  constexpr eventfd_t kWork = 1;
  constexpr eventfd_t kOver = 1'000'000;
  std::jthread worker([&] {
    if (cpu) move_thread_to(*cpu);
    eventfd_t value = 0;
    // At the end a piece of work whose answer nobody waited for may be counted together with kOver.
    while (::eventfd_read(there.get(), &value) == 0 && value < kOver) {
      ::eventfd_write(back.get(), 1);
    }
  });
  eventfd_t answer = 0;
  time_loop(state, "eventfd", [&] {
    return ::eventfd_write(there.get(), kWork) == 0 && ::eventfd_read(back.get(), &answer) == 0;
  });
  ::eventfd_write(there.get(), kOver);
}

void fork_and_wait(benchmark::State& state) {
  close_borrowed_set();  // fork(2) copies the table of descriptors
  time_loop(state, "fork", [] {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    pid_t ended;
    while ((ended = ::waitpid(child, nullptr, 0)) < 0 && errno == EINTR) {
    }
    return child > 0 && ended == child;
  });
}

void thread_and_join(benchmark::State& state) {
  time_loop(state, "pthread_create", [] {
    pthread_t thread;
    const auto nothing = [](void*) -> void* { return nullptr; };
    return ::pthread_create(&thread, nullptr, nothing, nullptr) == 0 &&
           ::pthread_join(thread, nullptr) == 0;
  });
}

// A descriptor through an AF_UNIX socket (unix(7), SCM_RIGHTS), sent, received and closed by the
// same thread.
bool pass_descriptor(int from, int to) {
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
  std::memcpy(CMSG_DATA(header), &from, sizeof from);
  if (::sendmsg(from, &message, 0) != 1) return false;
  if (::recvmsg(to, &message, MSG_CMSG_CLOEXEC) != 1) return false;
  header = CMSG_FIRSTHDR(&message);
  if (header == nullptr) return false;
  int taken = -1;
  std::memcpy(&taken, CMSG_DATA(header), sizeof taken);
  return ::close(taken) == 0;
}

void scm_rights(benchmark::State& state) {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return give_up(state, "cannot open a pair of sockets");
  }
  const UniqueFd left(ends[0]);
  const UniqueFd right(ends[1]);
  time_loop(state, "SCM_RIGHTS", [&] { return pass_descriptor(left.get(), right.get()); });
}

// Both places for a partner that waits in a thread of its own.
void add_both_places(const std::string& name,
                     void (*round_trip)(benchmark::State&, std::optional<int>)) {
  add_benchmark(name + "/same_cpu", [=](benchmark::State& state) { round_trip(state, {}); });
  if (const auto cpu = other_cpu()) {
    add_benchmark(name + "/other_cpu", [=](benchmark::State& state) { round_trip(state, cpu); });
  } else {
    add_missing(name + "/other_cpu", "this process may run on one CPU only");
  }
}

}  // namespace

void register_hand_over_cost() {
  add_both_places("hand_over_cost/thread_pool_queue", queue_round_trip);
  add_both_places("hand_over_cost/eventfd", eventfd_round_trip);
  add_benchmark("hand_over_cost/fork_wait", fork_and_wait);
  add_benchmark("hand_over_cost/pthread_create_join", thread_and_join);
  add_benchmark("hand_over_cost/scm_rights", scm_rights);
}

}  // namespace muxbench
