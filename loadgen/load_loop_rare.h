// The course of a thread's run outside its hot path: the start, what is looked after every 10 ms,
// the edges of the window.
#pragma once

#include <sys/prctl.h>

#include <thread>

#include "base/parse.h"
#include "loadgen/load_loop.h"

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
      connections_(std::size_t{share.active} + share.idle),
      send_times_(pipeline_ > 1 ? std::size_t{share.active} * pipeline_ : 0),
      buffer_(kReceiveBufferBytes),
      schedule_(options.arrival, options.rate, share.thread, options.threads),
      ramp_(Arrival::uniform, options.connect_rate, share.thread, options.threads),
      free_(open_loop_ ? share.active : 0),
      now_(Clock::now()),
      next_check_(now_),
      last_sweep_(now_) {
  for (std::uint32_t i = 0; i < connections_.size(); ++i) {
    const bool active = i < share.active;
    connections_[i].number =
        active ? share.first_active + i : share.first_idle + (i - share.active);
    connections_[i].role = active ? Role::active : options.role_beside(connections_[i].number);
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
  wait_for_start();
  if (!abandoned()) {
    start();
    while (now_ < end()) round(kCheckInterval);
    measure_end();
    while (!drained() && !stopped()) round(kCheckInterval);
    report_.requests_in_run = completed_;
    control_.drained_threads.fetch_add(1, std::memory_order_release);
    while (control_.hold.load(std::memory_order_relaxed)) round(std::chrono::milliseconds(1));
    report_.requests_per_connection.reserve(active_);
    for (const Connection& connection : connections_) {
      if (connection.role != Role::active) break;
      if (connection.incarnation == 0) continue;
      report_.requests_per_connection.push_back(connection.requests);
    }
  }
  for (Connection& connection : connections_) {
    // A request cut off by the end is no error, but wrong bytes that it already had are one.
    if (connection.role != Role::idle && usable(connection)) {
      client_.conclude(connection.protocol);
    }
    close_with_reset(connection.fd);
  }
}

template <typename Client>
void LoadLoop<Client>::wait_for_start() {
  const auto when = [this] { return control_.start.load(std::memory_order_acquire); };
  while (when() == Control::kNever && !abandoned()) round(std::chrono::milliseconds(1));
  if (!abandoned()) std::this_thread::sleep_until(when());
}

template <typename Client>
void LoadLoop<Client>::start() {
  started_ = true;
  begin_ = control_.begin.load(std::memory_order_relaxed);
  if (open_loop_) schedule_.start(control_.start.load(std::memory_order_relaxed));
  next_check_ = now_ = Clock::now();
  check();
  for (Connection& connection : connections_) {
    if (connection.role != Role::active) break;
    now_ = Clock::now();
    if (open_loop_) {
      if (per_request_ || connection.status == Status::open) release(connection);
    } else if (per_request_) {
      open(connection, now_);
    } else if (connection.status == Status::open) {
      bool begun = false;
      while (connection.in_flight < pipeline_ && next_request(connection)) begun = true;
      if (begun) flush(connection);
    }
  }
}

// Every 10 ms, and at the edges of the window and of each of its samples.
template <typename Client>
void LoadLoop<Client>::check() {
  if (started_ && !measuring_ && now_ >= begin_) measure_begin();
  if (measuring_) take_sample();
  run_timers();
  sweep();
  report_.live_requests.store(completed_, std::memory_order_relaxed);
  report_.live_errors.store(report_.errors.total(), std::memory_order_relaxed);
  report_.live_unread_bytes.store(unread_bytes_, std::memory_order_relaxed);
  if (open_loop_ && started_ && !exhausted_ && schedule_lag() > options_.max_lag &&
      schedule_.next() < end()) {
    control_.overloaded.store(true, std::memory_order_relaxed);
    control_.stop_at(now_);
  }

  next_check_ = now_ + kCheckInterval;
  if (started_) {
    if (!measuring_) next_check_ = std::min(next_check_, begin_);
    if (now_ < end()) next_check_ = std::min(next_check_, end());
    next_check_ = std::min(next_check_, report_.series.next(begin_));
  }
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
    } else if (open_loop_ && per_request_ && connection.role == Role::active) {
      release(connection);
    } else {
      open(connection, now_);
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
void LoadLoop<Client>::measure_begin() {
  measuring_ = true;
  measured_from_ = Clock::now();
  completed_at_begin_ = completed_;
  cpu_at_begin_ = thread_cpu_time();
  spun_at_begin_ = spun_;
  sent_at_begin_ = bytes_sent_;
  received_at_begin_ = bytes_received_;
  report_.series.start({.errors = report_.errors.total()});
}

// Taken a little after an interval's end, it is that interval's: whole ones are counted.
template <typename Client>
void LoadLoop<Client>::take_sample() {
  if (now_ < report_.series.next(begin_) && now_ < end()) return;
  const Nanoseconds elapsed = std::min(now_, end()) - begin_;
  const Nanoseconds whole = elapsed / Series::kInterval * Series::kInterval;
  report_.series.take(now_ < end() ? whole : elapsed,
                      {.requests = report_.requests,
                       .errors = report_.errors.total(),
                       .latency_sum_ns = report_.latency.sum()},
                      report_.slowest);
  report_.slowest = Nanoseconds(0);
}

template <typename Client>
void LoadLoop<Client>::measure_end() {
  if (!measuring_) return;
  take_sample();
  report_.wall = Clock::now() - measured_from_;
  report_.cpu_time = thread_cpu_time() - cpu_at_begin_;
  report_.spun = spun_ - spun_at_begin_;
  report_.bytes_sent = bytes_sent_ - sent_at_begin_;
  report_.bytes_received = bytes_received_ - received_at_begin_;
  // Overloaded, an open loop's server answers in the window what was due before, and that is its
  // throughput; what was due in the window it answers later.
  report_.requests_in_window = open_loop_ ? completed_ - completed_at_begin_ : report_.requests;
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
