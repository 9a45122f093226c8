// The course of a thread's run outside its hot path: the start, what is looked after every 10 ms,
// the edges of the window. Included by worker.cpp only, after load_loop.h.
#pragma once

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
      client_(make_client(*this)),
      connector_(options.target, share.thread, options.threads),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      connections_(std::size_t{share.active} + share.idle),
      buffer_(kReceiveBufferBytes),
      now_(Clock::now()),
      next_check_(now_),
      last_sweep_(now_) {
  for (std::uint32_t i = 0; i < connections_.size(); ++i) {
    connections_[i].active = i < share.active;
    connections_[i].number =
        i < share.active ? share.first_active + i : share.first_idle + (i - share.active);
  }
}

template <typename Client>
template <typename Test>
std::optional<std::uint32_t> LoadLoop<Client>::find_connection(Test&& test) const {
  for (const Connection& connection : connections_) {
    if (!connection.active) break;
    if (connection.status == Status::open && test(connection.protocol)) return connection.number;
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
  }
  for (Connection& connection : connections_) {
    // A request cut off by the end is no error, but wrong bytes that it already had are one.
    if (connection.active && connection.status == Status::open) {
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
  next_check_ = now_ = Clock::now();
  check();
  for (Connection& connection : connections_) {
    if (!connection.active) break;
    now_ = Clock::now();
    if constexpr (Client::kConnectionPerRequest) {
      open(connection);
    } else if (connection.status == Status::open) {
      begin_request(connection);
    }
  }
}

// Every 10 ms, and at the window's beginning.
template <typename Client>
void LoadLoop<Client>::check() {
  if (started_ && !measuring_ && now_ >= begin_) measure_begin();
  const Instant due = now_;  // What becomes due meanwhile has to wait for the next check.
  while (!reopenings_.empty() && reopenings_.top().due <= due) {
    Connection& connection = connections_[reopenings_.top().index];
    reopenings_.pop();
    if (connection.status == Status::connecting) {
      attempt(connection);
    } else {
      open(connection);
    }
  }
  sweep();
  report_.live_requests.store(completed_, std::memory_order_relaxed);
  report_.live_errors.store(report_.errors.total(), std::memory_order_relaxed);

  next_check_ = now_ + kCheckInterval;
  if (started_) {
    if (!measuring_) next_check_ = std::min(next_check_, begin_);
    next_check_ = std::min(next_check_, end());
  }
  if (!reopenings_.empty()) next_check_ = std::min(next_check_, reopenings_.top().due);
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
    const Nanoseconds age = now_ - connection.since;
    if (connection.status == Status::connecting) {
      // One without a socket waits for another attempt, which looks at the time itself.
      if (connection.fd && age > options_.connect_timeout)
        connect_failed(connection, Errno{ETIMEDOUT});
    } else if (connection.status == Status::open && connection.busy && age > options_.timeout) {
      lost(connection, ErrorKind::timeout,
           "no complete response within " + to_string(options_.timeout));
    }
  }
}

template <typename Client>
void LoadLoop<Client>::measure_begin() {
  measuring_ = true;
  measured_from_ = Clock::now();
  cpu_at_begin_ = thread_cpu_time();
  sent_at_begin_ = bytes_sent_;
  received_at_begin_ = bytes_received_;
}

template <typename Client>
void LoadLoop<Client>::measure_end() {
  if (!measuring_) return;
  report_.wall = Clock::now() - measured_from_;
  report_.cpu_time = thread_cpu_time() - cpu_at_begin_;
  report_.bytes_sent = bytes_sent_ - sent_at_begin_;
  report_.bytes_received = bytes_received_ - received_at_begin_;
  for (const Connection& connection : connections_) {
    if (!connection.active || connection.incarnation == 0) continue;
    report_.requests_per_connection.push_back(connection.requests);
  }
}

template <typename Client>
bool LoadLoop<Client>::take_ticket(Connection& connection) {
  if (control_.requests == 0 || now_ < begin_) return true;
  connection.ticketed =
      control_.tickets.fetch_add(1, std::memory_order_relaxed) < control_.requests;
  return connection.ticketed;
}

template <typename Client>
void LoadLoop<Client>::settle(Connection& connection) {
  connection.ticketed = false;
  if (control_.settled.fetch_add(1, std::memory_order_relaxed) + 1 == control_.requests) {
    // The window includes its last request.
    control_.end.store(now_ + Nanoseconds(1), std::memory_order_relaxed);
  }
}

}  // namespace muxbench::loadgen
