// What the workers have done, for --counters FILE: one JSON object when the server ends,
//
//   {"accepted":128,"requests":90000,"refused":0,"rounds":90300,
//    "workers":[{"accepted":64,"requests":44000},...]}
//
// (no rounds where there are none, as in a model that blocks in accept or read)
// so that the spread over workers can be stated. The counters are in memory that worker processes
// share, each worker's on cache lines of its own; what a process that was killed had not added yet
// is lost.
//
// A round is counted where a loop asks how long it may wait (ConnectionSet::timeout_ms()). In most models
// that is once for each wait; the rounds are others than the waits in
//   libev, libevent, libuv, asio_*  the library waits, and we ask only to set its timer anew
//   fiber_st                        only its thread that accepts asks, before it waits
//   epoll_oneshot                   their threads ask only while something can be due: with an idle
//   leader_followers                timeout, or while accepting has paused
//   rt_signal, sigio                not asked where there is more to do, so that the wait returns at
//   uring_multishot                 once; and rt_signal waits in read, without poll, where nothing
//                                   is due
//   aio_poll                        not asked for the pause after a submission that was refused
//   nonblocking_spin                never waits: its rounds are those over its connections
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace muxbench {

struct alignas(64) WorkerCounters {
  std::atomic<std::uint64_t> accepted = 0;
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> refused = 0;  // accepted and closed again: the model cannot watch it
  std::atomic<std::uint64_t> rounds = 0;   // of an event loop, see above
  std::atomic<std::uint64_t> open = 0;     // connections at its last round; for the other workers
};

// For a counter with one writer: a plain load, add and store, where fetch_add would lock the bus.
inline void count(std::atomic<std::uint64_t>& counter, std::uint64_t more = 1) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

namespace counters {

// Call once, before the first fork. An empty `file`: counted all the same, written nowhere.
Result<> set_up(unsigned workers, const std::string& file);

// The same memory in a program that a worker executes: share_with_program() between fork and exec,
// and join() in the new program, which has one worker. Without a server that shares, as under a
// real inetd, join() counts for itself.
void share_with_program() noexcept;
Result<> join();
constexpr int kFirstFreeInProgram = 4;  // of descriptors that it may inherit besides

WorkerCounters& of_worker(unsigned worker) noexcept;

// The connections of the worker that has fewest.
std::uint64_t fewest_open() noexcept;

// How many workers are ready, with this one.
unsigned one_more_is_ready() noexcept;

// From when on a worker that cannot accept now may try again: AcceptThrottle's queue of attempts.
std::atomic<Clock::time_point>& next_accept_attempt() noexcept;

// Writes the file, once, in the process that called set_up().
Result<> write_file();
// The same in a signal handler: false where not all of it could be written.
bool write_file_at_once() noexcept;

}  // namespace counters
}  // namespace muxbench
