// One thread's load: an epoll loop over its connections. This is its course, round by round and turn
// by turn; the hot path is in conversation.h, what happens to connections in connection_lifecycle.h.
#pragma once

#include <sched.h>
#include <sys/prctl.h>

#include <optional>
#include <thread>

#include "engine/ramp_up.h"

namespace muxbench::loadgen {

template <typename Client>
class LoadLoop {
 public:
  // `make_client(loop)` makes the protocol's side.
  template <typename MakeClient>
  LoadLoop(const Options& options, const Share& share, Control& control, ThreadReport& report,
           MakeClient&& make_client)
      : loop_(options, share, control, report),
        lifecycle_(loop_, [&] { return make_client(*this); }) {
    // prctl(2): a timer may be late by 50 us, or by 1 ns.
    if (options.open_loop()) ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  }

  void run() {
    open_all();
    loop_.control.connected_threads.fetch_add(1, std::memory_order_release);
    while (await_turn()) {
      start_turn();
      while (loop_.clock.now < loop_.window.end()) {
        round(kCheckInterval);
        loop_.window.follow(latest_end());
      }
      loop_.window.close(loop_.statistics.end_window(loop_.window, loop_.clock.now));
      while (!lifecycle_.drained() && !loop_.control.is_stopped()) round(kCheckInterval);
      finish_turn();
    }
    lifecycle_.close_all();
  }

  // The number of the first active connection for which test(State) holds.
  template <typename Test>
  std::optional<std::uint32_t> find_connection(Test&& test) const {
    for (const ConnectionOf<Client>& connection : lifecycle_.connections().active()) {
      if (connection.usable() && test(connection.protocol)) return connection.number;
    }
    return std::nullopt;
  }
  ErrorLog& errors() noexcept { return loop_.statistics.errors(); }
  const Client& client() const noexcept { return lifecycle_.client(); }

 private:
  static constexpr Nanoseconds kUntilCalled = std::chrono::hours(1);  // longest sleep at rest

  void round(Nanoseconds longest_wait) {
    const Instant before = loop_.clock.now;
    if (lifecycle_.read_on()) longest_wait = Nanoseconds(0);
    for (const epoll_event& event : wait(longest_wait)) {
      if (event.data.ptr == nullptr) continue;  // the main thread's call: it only ends the wait
      lifecycle_.on_event(*static_cast<Connection*>(event.data.ptr), event.events);
    }
    if (loop_.clock.now == before) loop_.clock.read();
    if (loop_.open_loop && loop_.phase == Phase::load) lifecycle_.dispatch();
    if (loop_.clock.now >= loop_.clock.next_check) check();
  }

  std::span<const epoll_event> wait(Nanoseconds longest) {
    const Nanoseconds until_check = loop_.clock.next_check - loop_.clock.now;
    longest = std::clamp(until_check, Nanoseconds(0), longest);
    const bool precisely = loop_.open_loop || loop_.options.busy_poll;
    if (precisely && loop_.phase == Phase::load) return wait_precisely(longest);
    return loop_.poller.wait(longest);
  }

  // A timer wakes a thread 35 to 150 us late on a virtual machine, so the last stretch before a
  // request is polled.
  std::span<const epoll_event> wait_precisely(Nanoseconds longest) {
    constexpr Nanoseconds kPolledStretch = std::chrono::microseconds(100);
    const Nanoseconds until_due = lifecycle_.open_loop().next() - loop_.clock.now - kPolledStretch;
    const bool polls = loop_.options.busy_poll || until_due.count() <= 0;
    const Nanoseconds sleep = polls ? Nanoseconds(0) : std::min(longest, until_due);
    const std::span<const epoll_event> events = loop_.poller.wait_precisely(sleep);
    const Instant before = loop_.clock.now;
    loop_.clock.read();
    if (events.empty() && sleep.count() == 0) {
      ::sched_yield();  // A server on the same CPU goes first.
      loop_.clock.read();
      loop_.statistics.polled_in_vain(loop_.clock.now - before);
    }
    return events;
  }

  void open_all() {
    const Instant since = loop_.clock.read();
    loop_.poller.add_wakeup(loop_.control.call.fd());
    RampUp<Client> ramp_up(loop_, lifecycle_);
    while (!over() && !ramp_up.done()) round(ramp_up.step());
    loop_.statistics.opening_took(Clock::now() - since);
    for (const Connection& connection : lifecycle_.connections().all()) {
      if (connection.usable()) loop_.statistics.opened(connection.role);
    }
  }

  // Sleeps while nothing happens to a connection. False: there is no further turn.
  bool await_turn() {
    loop_.phase = Phase::rest;
    check();
    while (loop_.control.turns.load(std::memory_order_acquire) == turns_ && !over())
      round(kUntilCalled);
    ++turns_;
    return !over();
  }

  void start_turn() {
    const Turn turn = loop_.control.turn;
    loop_.phase = Phase::load;
    std::this_thread::sleep_until(turn.start);
    const Instant start = turn.is_slice() ? Clock::now() : turn.start;
    if (loop_.open_loop) lifecycle_.open_loop().start(start, turn.rate);
    loop_.window.start(turn, start, loop_.open_loop, latest_end());
    loop_.statistics.begin_turn();
    loop_.clock.next_check = loop_.clock.read();
    lifecycle_.restart_timeouts();
    check();
    lifecycle_.start_load();
  }

  void finish_turn() {
    loop_.window.finish();
    loop_.statistics.end_turn();
    if (loop_.control.drained_threads.fetch_add(1, std::memory_order_acq_rel) + 1 ==
        loop_.options.threads) {
      loop_.control.drained.notify();
    }
  }

  // Every 10 ms, and at the edges of the window and of each of its samples.
  void check() {
    if (loop_.clock.now >= loop_.window.due()) begin_window();
    if (loop_.window.is_open()) loop_.statistics.sample(loop_.window, loop_.clock.now);
    lifecycle_.run_timers();
    lifecycle_.check_timeouts();
    loop_.statistics.publish();
    if (loop_.open_loop && loop_.phase == Phase::load && lifecycle_.open_loop().overloaded()) {
      loop_.control.overloaded.store(true, std::memory_order_relaxed);
      loop_.control.stop_at(loop_.clock.now);
    }

    const bool at_rest = loop_.phase == Phase::rest && lifecycle_.opening().in_progress() == 0;
    loop_.clock.next_check = at_rest ? Control::kNever : loop_.clock.now + kCheckInterval;
    loop_.clock.check_by(loop_.window.due());
    if (loop_.clock.now < loop_.window.end()) loop_.clock.check_by(loop_.window.end());
    if (loop_.window.is_open()) loop_.clock.check_by(loop_.statistics.next_sample(loop_.window));
    loop_.clock.check_by(loop_.timers.next());
  }

  void begin_window() {
    const bool is_slice = loop_.window.is_slice();
    const Instant moment = loop_.statistics.begin_window(!is_slice);
    if (is_slice) loop_.clock.now = moment;
    loop_.window.open(moment, latest_end());
  }

  Instant latest_end() const noexcept { return loop_.control.end.load(std::memory_order_relaxed); }
  bool over() const noexcept { return loop_.control.over.load(std::memory_order_relaxed); }

  LoopState loop_;
  ConnectionLifecycle<Client> lifecycle_;
  unsigned turns_ = 0;  // so many were begun
};

}  // namespace muxbench::loadgen
