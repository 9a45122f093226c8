// The course of a thread's run outside its hot path: the start, what is looked after every 10 ms,
// the edges of the window.
#pragma once

#include <sys/prctl.h>

#include <thread>

#include "base/parse.h"
#include "engine/load_loop.h"

namespace muxbench::loadgen {

template <typename Client>
template <typename MakeClient>
LoadLoop<Client>::LoadLoop(const Options& options, const Share& share, Control& control,
                           ThreadReport& report, MakeClient&& make_client)
    : options_(options),
      control_(control),
      report_(report),
      open_loop_(options.rate != 0),
      per_request_(Client::kConnectionPerRequest || options.churn),
      pipeline_(static_cast<std::uint16_t>(options.pipeline)),
      client_(make_client(*this)),
      connector_(options.target, share.thread, options.threads),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      active_(share.active),
      connections_(std::size_t{share.active} + share.idle + 1),
      send_times_(pipeline_ > 1 ? std::size_t{share.active} * pipeline_ : 0),
      buffer_(kReceiveBufferBytes),
      schedule_(options.arrival, options.rate, share.thread, options.threads, options.part),
      ramp_(Arrival::uniform, options.connect_rate, share.thread, options.threads),
      free_(open_loop_ ? share.active : 0),
      now_(Clock::now()),
      next_check_(now_),
      last_sweep_(now_) {
  connections_.back().role = Role::idle;
  for (std::uint32_t i = 0; i + 1 < connections_.size(); ++i) {
    const bool active = i < share.active;
    connections_[i].number =
        active ? share.first_active + i : share.first_idle + (i - share.active);
    connections_[i].role = active ? Role::active : options.role_beside(connections_[i].number);
    connections_[i].number += options.first_number;
  }
  // prctl(2): a timer may be late by 50 us, or by 1 ns.
  if (open_loop_) ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

template <typename Client>
template <typename Test>
std::optional<std::uint32_t> LoadLoop<Client>::find_connection(Test&& test) const {
  for (const Connection& connection : connections_) {
    if (connection.role != Role::active) break;
    if (usable(connection) && test(connection.protocol)) return connection.number;
  }
  return std::nullopt;
}

template <typename Client>
void LoadLoop<Client>::run() {
  open_all();
  control_.connected_threads.fetch_add(1, std::memory_order_release);
  while (await_turn()) {
    start();
    while (now_ < end_) {
      round(kCheckInterval);
      follow_end();
    }
    measure_end();
    while (!drained() && !stopped()) round(kCheckInterval);
    finish_turn();
  }
  report_.requests_per_connection.reserve(active_);
  for (Connection& connection : connections_) {
    if (connection.role == Role::active && connection.incarnation > 0) {
      report_.requests_per_connection.push_back(connection.requests);
    }
    // A request cut off by the end is no error, but wrong bytes that have come by now are one.
    if (connection.role != Role::idle && usable(connection)) {
      if (connection.role != Role::never_read) verify_rest(connection);
      client_.conclude(connection.protocol);
    }
    close_with_reset(connection.fd);
  }
}

// What has come since the last look no longer counts, but must be right.
template <typename Client>
void LoadLoop<Client>::verify_rest(Connection& connection) {
  for (int i = 0; i < kReadsInTurn; ++i) {
    const IoResult got = sys::recv(connection.fd.get(), buffer_);
    if (!got.ok() || got.end_of_file()) return;
    std::span<const std::byte> bytes(buffer_.data(), got.count());
    while (!bytes.empty()) {
      const Received received = client_.receive(connection.protocol, bytes);
      bytes = bytes.subspan(received.consumed);
      if (received.outcome >= Outcome::finished) return;
    }
  }
}

// Sleeps while nothing happens to a connection. False: there is no further turn.
template <typename Client>
bool LoadLoop<Client>::await_turn() {
  phase_ = Phase::rest;
  check();
  while (control_.turns.load(std::memory_order_acquire) == turns_ && !over()) round(kUntilCalled);
  ++turns_;
  return !over();
}

template <typename Client>
void LoadLoop<Client>::start() {
  turn_ = control_.turn;
  phase_ = Phase::load;
  exhausted_ = false;
  std::this_thread::sleep_until(turn_.start);
  const Instant start = turn_.is_slice() ? Clock::now() : turn_.start;
  if (open_loop_) schedule_.start(start, turn_.rate);
  whole_batches_ = turn_.is_slice() && !open_loop_;
  window_due_ = start + turn_.warmup;
  begin_ = turn_.is_slice() ? Control::kNever : window_due_;
  end_ = counted_until_ = Control::kNever;
  follow_end();
  completed_at_start_ = completed_;
  failed_at_start_ = report_.failed_requests;
  report_.slice = {};
  next_check_ = last_sweep_ = now_ = Clock::now();
  check();
  for (const std::uint32_t index : std::exchange(to_open_, {})) {
    now_ = Clock::now();
    reopen(connections_[index]);
  }
  for (Connection& connection : connections_) {
    if (connection.role != Role::active) break;
    if (per_request_ || connection.status != Status::open) continue;
    now_ = Clock::now();
    bool begun = false;
    while (connection.in_flight < pipeline_ && next_request(connection)) begun = true;
    if (begun) flush(connection);
  }
}

// The main thread or another one may have ended the window early.
template <typename Client>
void LoadLoop<Client>::follow_end() noexcept {
  end_ = std::min(end_, control_.end.load(std::memory_order_relaxed));
  if (!whole_batches_) counted_until_ = end_;
}

template <typename Client>
void LoadLoop<Client>::finish_turn() {
  begin_ = Control::kNever;  // What a stopped turn left in flight no longer counts.
  report_.requests_in_run = completed_;
  SliceReport& slice = report_.slice;
  slice.requests_in_run = completed_ - completed_at_start_;
  slice.failed_requests = report_.failed_requests - failed_at_start_;
  slice.errors = report_.errors.total() - errors_reported_;
  errors_reported_ += slice.errors;
  slice.drain = Clock::now() - ended_;
  if (control_.drained_threads.fetch_add(1, std::memory_order_acq_rel) + 1 == options_.threads) {
    control_.drained.ring();
  }
}

// Every 10 ms, and at the edges of the window and of each of its samples.
template <typename Client>
void LoadLoop<Client>::check() {
  if (now_ >= window_due_) measure_begin();
  if (measuring_) take_sample();
  run_timers();
  sweep();
  report_.live_requests.store(completed_, std::memory_order_relaxed);
  report_.live_errors.store(report_.errors.total(), std::memory_order_relaxed);
  if (open_loop_ && phase_ == Phase::load && !exhausted_ && schedule_lag() > options_.max_lag &&
      schedule_.next() < end_) {
    control_.overloaded.store(true, std::memory_order_relaxed);
    control_.stop_at(now_);
  }

  const bool at_rest = phase_ == Phase::rest && in_progress_ == 0;
  next_check_ = at_rest ? Control::kNever : now_ + kCheckInterval;
  next_check_ = std::min(next_check_, window_due_);
  if (now_ < end_) next_check_ = std::min(next_check_, end_);
  if (measuring_) next_check_ = std::min(next_check_, report_.series.next(begin_));
  if (!timers_.empty()) next_check_ = std::min(next_check_, timers_.top().due);
}

template <typename Client>
void LoadLoop<Client>::run_timers() {
  const Instant due = now_;  // What becomes due meanwhile has to wait for the next check.
  while (!timers_.empty() && timers_.top().due <= due) {
    Connection& connection = connections_[timers_.top().index];
    timers_.pop();
    if (connection.status == Status::connecting) {
      attempt(connection);
    } else if (connection.status == Status::open) {
      if (connection.role != Role::active) act_beside(connection);
    } else if (connection.role > Role::idle) {
      continue;  // The server has thrown it out.
    } else {
      reopen(connection);
    }
  }
}

// A hand goes over the connections, all of them within an eighth of the shortest timeout, and
// looks for what has been under way too long. That costs nothing per request.
template <typename Client>
void LoadLoop<Client>::sweep() {
  const Nanoseconds lap = std::min(options_.timeout, options_.connect_timeout) / 8;
  const double part = static_cast<double>((now_ - last_sweep_).count()) /
                      static_cast<double>(std::max<Nanoseconds::rep>(lap.count(), 1));
  last_sweep_ = now_;
  const auto count = static_cast<double>(connections_.size());
  auto steps = static_cast<std::size_t>(std::min(1.0, part) * count + 1);
  for (; steps > 0 && !connections_.empty(); --steps, ++sweep_hand_) {
    if (sweep_hand_ >= connections_.size()) sweep_hand_ = 0;
    Connection& connection = connections_[sweep_hand_];
    const Nanoseconds age = now_ - connection.waiting;
    if (connection.status == Status::connecting) {
      // One without a socket waits for another attempt, which looks at the time itself.
      if (connection.fd && age > options_.connect_timeout)
        connect_failed(connection, Errno{ETIMEDOUT});
    } else if (connection.role == Role::active && age > options_.timeout) {
      if (connection.status == Status::open && connection.in_flight > 0) {
        lost(connection, ErrorKind::timeout,
             "no complete response within " + to_string(options_.timeout));
      } else if (connection.status == Status::closing) {
        lost(connection, ErrorKind::timeout,
             "the server did not close within " + to_string(options_.timeout));
      }
    }
  }
}

template <typename Client>
auto LoadLoop<Client>::edge() const noexcept -> Edge {
  return {.time = Clock::now(),
          .completed = completed_,
          .counted = report_.requests,
          .cpu = thread_cpu_time(),
          .spun = spun_,
          .sent = bytes_sent_,
          .received = bytes_received_};
}

template <typename Client>
void LoadLoop<Client>::measure_begin() {
  measuring_ = true;
  window_due_ = Control::kNever;
  at_begin_ = edge();
  if (turn_.is_slice()) {
    begin_ = now_ = at_begin_.time;
    end_ = begin_ + turn_.slice;
    follow_end();
  } else {
    report_.series.start({.errors = report_.errors.total()});
  }
}

// Taken a little after an interval's end, it is that interval's: whole ones are counted.
template <typename Client>
void LoadLoop<Client>::take_sample() {
  if (now_ < report_.series.next(begin_) && now_ < end_) return;
  const Nanoseconds elapsed = std::min(now_, end_) - begin_;
  const Nanoseconds whole = elapsed / Series::kInterval * Series::kInterval;
  report_.series.take(now_ < end_ ? whole : elapsed,
                      {.requests = report_.requests,
                       .errors = report_.errors.total(),
                       .latency_sum_ns = report_.latency.sum()},
                      report_.slowest);
  report_.slowest = Nanoseconds(0);
}

template <typename Client>
void LoadLoop<Client>::measure_end() {
  window_due_ = Control::kNever;
  const Edge at_end = edge();
  ended_ = at_end.time;
  if (!measuring_) return;
  take_sample();
  measuring_ = false;
  if (whole_batches_) counted_until_ = at_end.time;
  const std::uint64_t completed = at_end.completed - at_begin_.completed;
  report_.slice.requests = completed;
  report_.slice.elapsed = at_end.time - at_begin_.time;
  report_.wall += at_end.time - at_begin_.time;
  report_.cpu_time = report_.cpu_time + (at_end.cpu - at_begin_.cpu);
  report_.spun += at_end.spun - at_begin_.spun;
  report_.bytes_sent += at_end.sent - at_begin_.sent;
  report_.bytes_received += at_end.received - at_begin_.received;
  // Overloaded, an open loop's server answers in the window what was due before, and that is its
  // throughput; what was due in the window it answers later.
  report_.requests_in_window += open_loop_ ? completed : at_end.counted - at_begin_.counted;
}

// Tickets are for what is due in the window.
template <typename Client>
bool LoadLoop<Client>::take_ticket(Connection& connection, Instant moment) {
  if (control_.requests == 0 || moment < begin_) return true;
  if (control_.tickets.fetch_add(1, std::memory_order_relaxed) >= control_.requests) return false;
  ++connection.ticketed;
  return true;
}

template <typename Client>
void LoadLoop<Client>::settle(std::uint32_t requests) {
  if (control_.settled.fetch_add(requests, std::memory_order_relaxed) + requests ==
      control_.requests) {
    // The window includes its last request.
    control_.end.store(now_ + Nanoseconds(1), std::memory_order_relaxed);
  }
}

}  // namespace muxbench::loadgen
