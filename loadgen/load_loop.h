// One thread's load: an epoll loop over its connections. The client protocol is a template
// argument, so the path from a readable socket to the next send is one inlined piece of code:
// recv, compare, read the clock, record, send. In steady state there is no epoll_ctl: sockets are
// registered once, edge-triggered, and a read that does not fill the buffer has emptied the socket.
#pragma once

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "loadgen/client_protocol.h"
#include "loadgen/connector.h"
#include "loadgen/control.h"
#include "loadgen/options.h"
#include "net/sys.h"

namespace muxbench::loadgen {

inline constexpr std::size_t kReceiveBufferBytes = 64 * 1024;
inline constexpr int kReadsInTurn = 4;
inline constexpr Nanoseconds kCheckInterval = std::chrono::milliseconds(10);

// The connections of one thread: their numbers are unique over all threads.
struct Share {
  unsigned thread = 0;
  std::uint32_t first_active = 0, active = 0;
  std::uint32_t first_idle = 0, idle = 0;
};

template <typename Client>
class LoadLoop {
 public:
  // `make_client(loop)` makes the protocol's side.
  template <typename MakeClient>
  LoadLoop(const Options& options, const Share& share, Control& control, ThreadReport& report,
           MakeClient&& make_client);

  void run();

  // The number of the first active connection for which test(State) holds.
  template <typename Test>
  std::optional<std::uint32_t> find_connection(Test&& test) const;
  ErrorLog& errors() noexcept { return report_.errors; }
  const Client& client() const noexcept { return client_; }

 private:
  enum class Status : std::uint8_t { closed, connecting, open };

  struct Connection {
    typename Client::State protocol{};
    Instant since{};  // of the request in flight, or of connecting
    UniqueFd fd;
    std::uint32_t number = 0;
    std::uint32_t incarnation = 0;  // how often it was opened
    std::uint32_t requests = 0;     // succeeded in the window
    Status status = Status::closed;
    bool active = false;
    bool busy = false;      // a request is in flight
    bool ticketed = false;  // ... and counts towards --requests
    bool stuck = false;     // the socket's send buffer is full
    std::uint8_t failures = 0;
  };
  static_assert(sizeof(Connection) <= 128, "memory per connection is a promise");

  struct Reopening {
    Instant due;
    std::uint32_t index;
    bool operator>(const Reopening& other) const { return due > other.due; }
  };

  // The hot path.
  void round(Nanoseconds longest_wait);
  void on_event(Connection& connection, std::uint32_t events);
  void read(Connection& connection, bool to_the_end);
  void take(Connection& connection, std::span<const std::byte> bytes);
  void begin_request(Connection& connection);
  void complete(Connection& connection, bool good);
  void flush(Connection& connection);

  // The rest of a run, in load_loop_rare.h.
  void wait_for_start();
  void start();
  void check();
  void sweep();
  void measure_begin();
  void measure_end();
  bool take_ticket(Connection& connection);
  void settle(Connection& connection);

  // Opening and losing connections, in load_loop_connect.h.
  void open_all();
  void open(Connection& connection);
  void attempt(Connection& connection);
  void connected(Connection& connection);
  void connect_failed(Connection& connection, Errno error);
  void lost(Connection& connection, ErrorKind kind, std::string_view what);
  void give_up(Connection& connection);
  void drop(Connection& connection);
  void reopen_in(Connection& connection, Nanoseconds pause);
  void watch_writable(Connection& connection, bool on);
  std::uint32_t index_of(const Connection& connection) const {
    return static_cast<std::uint32_t>(&connection - connections_.data());
  }
  Instant end() const noexcept { return control_.end.load(std::memory_order_relaxed); }
  bool abandoned() const noexcept { return control_.abandon.load(std::memory_order_relaxed); }

  const Options& options_;
  Control& control_;
  ThreadReport& report_;
  Client client_;
  Connector connector_;
  UniqueFd epoll_;
  std::vector<Connection> connections_;
  std::vector<std::byte> buffer_;
  std::vector<std::uint32_t> unread_;  // connections that have more to read than was their turn
  std::array<epoll_event, 512> events_;
  std::priority_queue<Reopening, std::vector<Reopening>, std::greater<>> reopenings_;

  Instant now_;         // the latest reading of the clock
  Instant next_check_;  // when the rare parts are due
  Instant last_sweep_;
  Instant begin_ = Control::kNever;
  bool started_ = false;
  bool measuring_ = false;
  std::uint32_t in_progress_ = 0;  // connections being opened
  std::size_t sweep_hand_ = 0;
  std::uint64_t completed_ = 0;  // requests that succeeded, in the window or not
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
  Instant measured_from_;
  CpuTime cpu_at_begin_;
  std::uint64_t sent_at_begin_ = 0;
  std::uint64_t received_at_begin_ = 0;
};

// Events carry the connection's index. A stale one cannot reach a reopened connection: one wait
// reports a socket once, and it is closed only while its own event is handled or between waits.
template <typename Client>
void LoadLoop<Client>::round(Nanoseconds longest_wait) {
  const Instant before = now_;
  const std::size_t unread = unread_.size();
  for (std::size_t i = 0; i < unread; ++i) {
    Connection& connection = connections_[unread_[i]];
    if (connection.status == Status::open) read(connection, true);
  }
  unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(unread));
  if (!unread_.empty()) longest_wait = Nanoseconds(0);

  const Nanoseconds wait =
      std::clamp<Nanoseconds>(next_check_ - now_, Nanoseconds(0), longest_wait);
  const auto ceiling = std::chrono::ceil<std::chrono::milliseconds>(wait);
  const int count = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                                 static_cast<int>(ceiling.count()));
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    on_event(connections_[event.data.u32], event.events);
  }
  // Each completed request reads the clock; a round without one must do it here.
  if (now_ == before) now_ = Clock::now();
  if (now_ >= next_check_) check();
}

template <typename Client>
void LoadLoop<Client>::on_event(Connection& connection, std::uint32_t events) {
  constexpr std::uint32_t kOver = EPOLLERR | EPOLLHUP | EPOLLRDHUP;
  if (connection.status == Status::connecting) [[unlikely]] {
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(connection.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) return connect_failed(connection, Errno{error});
    }
    connected(connection);
  }
  if ((events & EPOLLOUT) != 0 && connection.stuck) flush(connection);
  if ((events & (EPOLLIN | kOver)) != 0 && connection.status == Status::open) {
    read(connection, (events & kOver) != 0);
  }
}

// Edge-triggered: once the peer has closed no further event comes, so it is read to the end then.
// A connection whose bytes keep coming goes on in the next round, after the others had their turn.
template <typename Client>
void LoadLoop<Client>::read(Connection& connection, bool to_the_end) {
  const std::uint32_t incarnation = connection.incarnation;
  int budget = kReadsInTurn;
  while (true) {
    const IoResult got = sys::recv(connection.fd.get(), buffer_);
    if (!got.ok()) {
      if (got.would_block()) return;
      if (got.interrupted()) continue;
      return lost(connection, ErrorKind::reset, describe(got.error()));
    }
    if (got.end_of_file()) {
      if (connection.active && client_.end_of_stream(connection.protocol) == Outcome::finished) {
        complete(connection, true);
        connection.fd.reset();
        connection.status = Status::closed;
        return open(connection);
      }
      return lost(connection, ErrorKind::closed, "closed by the peer");
    }
    bytes_received_ += got.count();
    take(connection, std::span(buffer_).first(got.count()));
    const bool same = connection.status == Status::open && connection.incarnation == incarnation;
    if (!same || (got.count() < buffer_.size() && !to_the_end)) return;
    if (--budget == 0) return unread_.push_back(index_of(connection));
  }
}

template <typename Client>
void LoadLoop<Client>::take(Connection& connection, std::span<const std::byte> bytes) {
  if (!connection.active) [[unlikely]] {
    if constexpr (Client::kGreeted) return;  // A silent connection is greeted too.
    return lost(connection, ErrorKind::extra, "bytes on a connection that asked for nothing");
  }
  while (!bytes.empty()) {
    const Received received = client_.receive(connection.protocol, bytes);
    bytes = bytes.subspan(received.consumed);
    switch (received.outcome) {
      case Outcome::more:
        if constexpr (Client::kGreeted) flush(connection);
        break;
      case Outcome::succeeded:
      case Outcome::failed:
        complete(connection, received.outcome == Outcome::succeeded);
        begin_request(connection);
        if (connection.status != Status::open) return;
        break;
      case Outcome::finished:
        complete(connection, true);
        connection.fd.reset();
        connection.status = Status::closed;
        return open(connection);
      case Outcome::broken:
        return give_up(connection);
    }
  }
}

// Closed loop: the next request follows at once. The clock was read when the one before was
// complete, and that reading is the send time of this one.
template <typename Client>
void LoadLoop<Client>::begin_request(Connection& connection) {
  if (now_ >= end() || !take_ticket(connection)) return;
  client_.begin(connection.protocol);
  connection.since = now_;
  connection.busy = true;
  flush(connection);
}

// The window counts requests that complete inside it, whenever they were sent: as many are in
// flight at its end as at its beginning, so the rate is right. Latency is each request's own.
template <typename Client>
void LoadLoop<Client>::complete(Connection& connection, bool good) {
  now_ = Clock::now();
  connection.busy = false;
  if (good) {
    connection.failures = 0;
    ++completed_;
    const bool counts = control_.requests == 0 || connection.ticketed;
    if (now_ >= begin_ && now_ < end() && counts) [[likely]] {
      report_.latency.record(now_ - connection.since);
      ++report_.requests;
      ++connection.requests;
    }
  }
  if (connection.ticketed) settle(connection);
}

template <typename Client>
void LoadLoop<Client>::flush(Connection& connection) {
  while (true) {
    const Outgoing out = client_.outgoing(connection.protocol);
    if (out.size() == 0) break;
    const IoResult sent = sys::send(connection.fd.get(), out.pieces());
    if (sent.ok()) {
      bytes_sent_ += sent.count();
      client_.sent(connection.protocol, sent.count());
      if (sent.count() == out.size()) break;
    } else if (sent.would_block()) {
      if (!connection.stuck) watch_writable(connection, true);
      return;
    } else if (!sent.interrupted()) {
      return lost(connection, sent.error() == Errno{EPIPE} ? ErrorKind::closed : ErrorKind::reset,
                  describe(sent.error()));
    }
  }
  if (connection.stuck) watch_writable(connection, false);
}

}  // namespace muxbench::loadgen
