// One thread's load: an epoll loop over its connections. The client protocol is a template
// argument, so the path from a readable socket to the next send is one inlined piece of code:
// recv, compare, read the clock, record, send (load_loop_hot.h). In steady state there is no
// epoll_ctl: sockets are registered once, edge-triggered, and a read that does not fill the buffer
// has emptied the socket. The other parts are in load_loop_*.h, included by worker.cpp only.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "client/client_protocol.h"
#include "engine/arrivals.h"
#include "engine/connector.h"
#include "engine/control.h"
#include "engine/ring.h"
#include "net/sys.h"
#include "options/options.h"

namespace muxbench::loadgen {

inline constexpr std::size_t kReceiveBufferBytes = 64 * 1024;
inline constexpr int kReadsInTurn = 4;
inline constexpr Nanoseconds kCheckInterval = std::chrono::milliseconds(10);
inline constexpr Nanoseconds kUntilCalled = std::chrono::hours(1);  // longest sleep of who rests

// The connections of one thread: their numbers are unique over all threads.
struct Share {
  unsigned thread = 0;
  std::uint32_t first_active = 0, active = 0;
  std::uint32_t first_idle = 0, idle = 0;  // idle and stalled ones
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
  enum class Phase : std::uint8_t { opening, rest, load };
  enum class Status : std::uint8_t { closed, connecting, open, closing };

  struct Connection {
    typename Client::State protocol{};
    Instant since{};    // what the latency of the oldest request in flight counts from
    Instant waiting{};  // since when the peer owes something; connecting: since when
    UniqueFd fd;
    std::uint32_t number = 0;
    std::uint32_t incarnation = 0;  // how often it was opened
    std::uint32_t requests = 0;     // succeeded in the window
    std::uint16_t in_flight = 0;    // requests
    std::uint16_t ticketed = 0;     // ... of them, the youngest, that count towards --requests
    std::uint16_t oldest = 0;       // pipelined: where the send times of those in flight begin
    Status status = Status::closed;
    Role role = Role::active;
    std::uint8_t failures = 0;
    bool stuck = false;     // the socket's send buffer is full
    bool answered = false;  // the first byte has come
    bool listed = false;    // open loop: among the free ones
  };
  static_assert(sizeof(Connection) <= 120, "128 bytes per connection are a promise");

  struct Timer {
    Instant due;
    std::uint32_t index;
    bool operator>(const Timer& other) const { return due > other.due; }
  };

  // The hot path, in load_loop_hot.h.
  void round(Nanoseconds longest_wait);
  void on_event(Connection& connection, std::uint32_t events);
  void read(Connection& connection, bool to_the_end);
  void take(Connection& connection, std::span<const std::byte> bytes);
  bool next_request(Connection& connection);
  bool begin_request(Connection& connection, Instant due);
  void complete(Connection& connection, bool good);
  void account(Connection& connection, bool good);
  bool counts(Instant since, bool ticketed) const noexcept;
  void flush(Connection& connection);

  // The open loop, in load_loop_open.h.
  int wait_precisely(Nanoseconds wait);
  void dispatch();
  void release(Connection& connection);
  Connection* next_free();
  bool drained() const noexcept;
  Nanoseconds schedule_lag() const noexcept { return now_ - schedule_.next(); }

  // The rest of a run, in load_loop_rare.h.
  bool await_turn();
  void start();
  void follow_end() noexcept;
  void finish_turn();
  void check();
  void run_timers();
  void sweep();
  void measure_begin();
  void measure_end();
  void take_sample();
  bool take_ticket(Connection& connection, Instant moment);
  void settle(std::uint32_t requests);
  void verify_rest(Connection& connection);

  // What a thread has done so far, read between two rounds.
  struct Edge {
    Instant time;
    std::uint64_t completed = 0;  // requests that succeeded
    std::uint64_t counted = 0;    // ... in a window
    CpuTime cpu;
    Nanoseconds spun{};
    std::uint64_t sent = 0;  // bytes
    std::uint64_t received = 0;
  };
  Edge edge() const noexcept;

  // Opening and losing connections, in load_loop_connect.h.
  void open_all();
  void watch_call();
  bool may_open(const Connection& connection) const noexcept;
  bool owed(const Connection& connection) const noexcept;
  void reopen(Connection& connection);
  void open(Connection& connection, Instant due);
  void attempt(Connection& connection);
  void connected(Connection& connection);
  void connect_failed(Connection& connection, Errno error);
  void not_connected(const Connection& connection, Errno error);
  void lost(Connection& connection, ErrorKind kind, std::string_view what);
  void give_up(Connection& connection);
  void drop(Connection& connection);
  void end_exchange(Connection& connection, bool good);
  bool finds_surplus(Connection& connection);
  Instant sent_at(const Connection& connection, std::size_t nth) const;
  void take_after(Connection& connection, std::span<const std::byte> bytes);
  void replace(Connection& connection);
  void leave(Connection& connection);
  void reopen_later(Connection& connection);
  void set_timer(Connection& connection, Nanoseconds pause);
  void watch_writable(Connection& connection, bool on);

  // Connections that hold no ordinary conversation, in load_loop_beside.h.
  void take_beside(Connection& connection, std::span<const std::byte> bytes);
  void act_beside(Connection& connection);
  void stop_beside(Connection& connection);
  void send_beside(Connection& connection, std::size_t most);
  void never_read(Connection& connection);

  static bool usable(const Connection& connection) noexcept {
    return connection.status >= Status::open;
  }
  std::uint32_t index_of(const Connection& connection) const {
    return static_cast<std::uint32_t>(&connection - connections_.data());
  }
  bool over() const noexcept { return control_.over.load(std::memory_order_relaxed); }
  bool stopped() const noexcept { return control_.stop.load(std::memory_order_relaxed); }

  const Options& options_;
  Control& control_;
  ThreadReport& report_;
  const bool open_loop_;
  const bool per_request_;  // each request opens a connection of its own
  const std::uint16_t pipeline_;
  Client client_;
  Connector connector_;
  UniqueFd epoll_;
  const std::uint32_t active_;  // the first of the connections
  // The last stands for the main thread's call: closed for ever, so its events only end a wait.
  std::vector<Connection> connections_;
  std::vector<Instant> send_times_;  // pipelined: a ring of `pipeline_` for each active connection
  std::vector<std::byte> buffer_;
  std::vector<std::uint32_t> unread_;  // connections that have more to read than was their turn
  std::array<epoll_event, 512> events_;
  std::vector<std::uint32_t> to_open_;  // connections that the next turn opens
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;

  ArrivalSchedule schedule_;
  ArrivalSchedule ramp_;  // when connections may be opened
  Ring<std::uint32_t> free_;
  Instant starved_until_{};  // until then no connection was free
  bool starved_ = false;
  bool exhausted_ = false;         // no tickets are left
  std::uint64_t outstanding_ = 0;  // requests in flight
  Nanoseconds spun_{};             // polled in vain

  Instant now_;         // the latest reading of the clock
  Instant next_check_;  // when the rare parts are due
  Instant last_sweep_;
  Phase phase_ = Phase::opening;
  unsigned turns_ = 0;  // so many were begun
  Turn turn_;
  bool whole_batches_ = false;            // a closed loop's slice
  Instant window_due_ = Control::kNever;  // when the window is to begin
  Instant begin_ = Control::kNever;       // from then on requests count ...
  Instant counted_until_ = Control::kNever;
  Instant end_ = Control::kNever;  // from then on none is begun
  bool measuring_ = false;
  std::uint32_t in_progress_ = 0;  // connections being opened
  std::uint32_t closing_ = 0;      // connections that the server has yet to close
  Instant last_connected_;         // when the latest one was open, or the first was begun
  bool takes_no_more_ = false;     // the server, before the load; no more are tried
  std::size_t sweep_hand_ = 0;
  std::uint64_t completed_ = 0;  // requests that succeeded, in the window or not
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t unread_bytes_ = 0;  // of them, by clients that never read
  std::uint64_t bytes_received_ = 0;
  Edge at_begin_;                         // of the window
  Instant ended_;                         // the window
  std::uint64_t completed_at_start_ = 0;  // of the turn
  std::uint64_t failed_at_start_ = 0;
  std::uint64_t errors_reported_ = 0;  // by the turns before
};

}  // namespace muxbench::loadgen
