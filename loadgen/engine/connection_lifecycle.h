// The life of a thread's connections: opened, used, ended or lost, opened again. Decides what follows
// each step that the other parts take.
#pragma once

#include <utility>

#include "base/parse.h"
#include "engine/conversation.h"
#include "engine/open_loop.h"
#include "engine/opening.h"
#include "engine/timeout_sweep.h"

namespace muxbench::loadgen {

template <typename Client>
class ConnectionLifecycle {
 public:
  // `make_client()` makes the protocol's side.
  template <typename MakeClient>
  ConnectionLifecycle(LoopState& loop, MakeClient&& make_client)
      : loop_(loop),
        client_(make_client()),
        connections_(loop.options, loop.share),
        timeouts_(loop.options),
        requests_(loop),
        open_loop_(loop),
        opening_(loop, client_),
        background_(loop, client_),
        churn_(loop, client_, requests_),
        conversation_(loop, client_, requests_, background_, churn_) {}

  const Client& client() const noexcept { return client_; }
  ConnectionTable<Client>& connections() noexcept { return connections_; }
  const ConnectionTable<Client>& connections() const noexcept { return connections_; }
  OpenLoop& open_loop() noexcept { return open_loop_; }
  Opening<Client>& opening() noexcept { return opening_; }

  void on_event(Connection& connection, std::uint32_t events) {
    constexpr std::uint32_t kOver = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    if (connection.status == Status::connecting) [[unlikely]] {
      follow(connection, opening_.on_event(connection, events));
    }
    if ((events & EPOLLOUT) != 0 && connection.send_blocked) flush(connection);
    if ((events & (EPOLLIN | kOver)) != 0 && connection.usable()) {
      read(connection, (events & kOver) != 0);
    }
  }

  // Connections that had more to read than was their turn. True: some still have.
  bool read_on() {
    std::vector<Connection*>& unread = conversation_.unread();
    const std::size_t count = unread.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (unread[i]->usable()) read(*unread[i], true);
    }
    unread.erase(unread.begin(), unread.begin() + static_cast<std::ptrdiff_t>(count));
    return !unread.empty();
  }

  // Open loop: sends what is due.
  void dispatch() {
    open_loop_.dispatch([this](Connection& connection, Instant due) {
      if (loop_.per_request) return open(connection, due);
      const bool begun = conversation_.begin(connection, due);
      if (connection.in_flight < loop_.pipeline) open_loop_.list(connection);
      if (begun) flush(connection);
      return begun;
    });
  }

  // The next load opens it.
  void open_later(Connection& connection) { to_open_.push_back(&connection); }

  // A request that brings its own connection counts from `due`. False: as many as were asked for
  // have been begun.
  bool open(Connection& connection, Instant due) {
    if (!may_open(connection)) {
      open_later(connection);
      return true;
    }
    if (brings_request(connection) && !requests_.begin_with_connection(connection, due)) {
      return false;
    }
    loop_.clock.read();
    if (!resumes(connection)) connection.latency_start = loop_.open_loop ? due : loop_.clock.now;
    opening_.begin(connection);
    attempt(connection);
    return true;
  }

  void start_load() {
    for (Connection* const connection : std::exchange(to_open_, {})) {
      loop_.clock.read();
      reopen(*connection);
    }
    for (Connection& connection : connections_.active()) {
      if (loop_.per_request || connection.status != Status::open) continue;
      loop_.clock.read();
      fill(connection);
    }
  }

  void run_timers() {
    const Instant due =
        loop_.clock.now;  // What becomes due meanwhile has to wait for the next check.
    while (loop_.timers.next() <= due) {
      Connection& connection = loop_.timers.pop();
      if (connection.status == Status::connecting) {
        attempt(connection);
      } else if (connection.status == Status::open) {
        if (connection.role != Role::active) background_.act(connection);
      } else if (connection.role > Role::idle) {
        continue;  // The server has thrown it out.
      } else {
        reopen(connection);
      }
    }
  }

  void restart_timeouts() noexcept { timeouts_.restart(loop_.clock.now); }
  void check_timeouts() {
    timeouts_.sweep(loop_.clock.now, connections_.size(),
                    [this](std::size_t index) { check_timeout(connections_[index]); });
  }

  // Whether all is answered that was begun, or was due in the window.
  bool drained() const noexcept {
    if (loop_.options.phases && churn_.closing() > 0) return false;
    if (!loop_.open_loop) return requests_.in_flight() == 0 || !loop_.options.phases;
    return requests_.in_flight() == 0 && open_loop_.finished();
  }

  // A request cut off by the end is no error, but wrong bytes that have come by now are one.
  void close_all() {
    loop_.statistics.expect_served(connections_.active().size());
    for (Connection& connection : connections_.all()) {
      if (connection.role == Role::active && connection.incarnation > 0) {
        loop_.statistics.served(connection.requests);
      }
      if (connection.role != Role::idle && connection.usable()) {
        if (connection.role != Role::never_read) conversation_.verify_rest(connection);
        client_.conclude(protocol_of<Client>(connection));
      }
      close_with_reset(connection.fd);
    }
  }

 private:
  bool brings_request(const Connection& connection) const noexcept {
    return loop_.per_request && connection.role == Role::active;
  }
  // It is opened in place of one that has not answered all: see `replace`.
  bool resumes(const Connection& connection) const noexcept {
    return Client::kResumes && !loop_.per_request && connection.role == Role::active &&
           connection.in_flight > 0;
  }
  bool may_open(const Connection& connection) const noexcept {
    if (loop_.phase == Phase::rest) return connection.role != Role::active;
    return loop_.phase == Phase::opening ||
           (!loop_.control.is_stopped() &&
            (loop_.open_loop || loop_.clock.now < loop_.window.end() || resumes(connection)));
  }

  void read(Connection& connection, bool to_the_end) {
    follow(connection, conversation_.read(connection, to_the_end, [this](Connection& answered) {
      return next_request(answered);
    }));
  }
  void flush(Connection& connection) { follow(connection, conversation_.flush(connection)); }

  // After a response. True: a request was begun and has to be flushed.
  [[gnu::always_inline]] bool next_request(Connection& connection) {
    if (!loop_.open_loop) {
      return loop_.clock.now < loop_.window.end() &&
             conversation_.begin(connection, loop_.clock.now);
    }
    release(connection);
    return false;
  }
  // Open loop: it can take a request.
  void release(Connection& connection) {
    open_loop_.set_free(connection);
    if (open_loop_.has_due()) dispatch();
  }
  void fill(Connection& connection) {
    bool begun = false;
    while (connection.in_flight < loop_.pipeline && next_request(connection)) begun = true;
    if (begun) flush(connection);
  }

  void follow(Connection& connection, Ending ending) {
    switch (ending) {
      case Ending::none:
        return;
      case Ending::over:
        return leave(connection);
      case Ending::announced:
        return replace(connection);
      case Ending::lost:
        if (connection.role > Role::idle) return background_.stop(connection);
        return give_up(connection);
    }
  }
  void follow(Connection& connection, typename Opening<Client>::Step step) {
    using Kind = typename Opening<Client>::Step::Kind;
    if (step.kind == Kind::connected) connected(connection);
    if (step.kind == Kind::failed) connect_failed(connection, step.error);
  }

  void attempt(Connection& connection) {
    follow(connection, opening_.attempt(connection, resumes(connection)));
  }

  void connected(Connection& connection) {
    opening_.succeeded(connection);
    if (connection.role != Role::active) return background_.act(connection);
    if (loop_.per_request) {
      connection.waiting_since = loop_.clock.now;
      client_.begin(protocol_of<Client>(connection));
      return flush(connection);
    }
    if (resumes(connection)) {
      connection.waiting_since = loop_.clock.now;
      flush(connection);
      if (connection.status != Status::open) return;
    }
    if (loop_.phase != Phase::load) return;
    if (loop_.open_loop) return release(connection);
    fill(connection);
  }

  void connect_failed(Connection& connection, Errno error) {
    opening_.failed(connection, error, loop_.phase == Phase::opening);
    if (loop_.phase == Phase::load && connection.role == Role::active &&
        connection.in_flight == 0) {
      requests_.begin_unsent(connection);
    }
    drop(connection);
    // What cannot be opened before the load starts is left out, and the result says how many.
    if (loop_.phase != Phase::opening) reopen_later(connection);
  }

  void give_up(Connection& connection) {
    if (connection.role == Role::active) client_.conclude(protocol_of<Client>(connection));
    drop(connection);
    reopen_later(connection);
  }

  // All its requests in flight have failed.
  void drop(Connection& connection) {
    churn_.forget(connection);
    connection.status = Status::closed;
    connection.send_blocked = false;
    close_with_reset(connection.fd);
    requests_.fail_all(connection);
  }

  // The server has said that it closes after this response, as a server may at any time. What it has
  // not answered is asked again on another connection (RFC 9112, 9.3.2), and is not late for that:
  // its latency counts from when it was first sent.
  void replace(Connection& connection) {
    connection.send_blocked = false;
    connection.fd.reset();
    connection.status = Status::closed;
    if (may_open(connection)) loop_.statistics.reconnected();
    open(connection, loop_.clock.now);
  }

  // The connection is over in good order.
  void leave(Connection& connection) {
    churn_.forget(connection);
    if (connection.status == Status::closing) client_.conclude(protocol_of<Client>(connection));
    connection.fd.reset();
    connection.status = Status::closed;
    if (loop_.open_loop && loop_.per_request) return release(connection);
    open(connection, loop_.clock.now);
  }

  // What was lost, or has never been open.
  void reopen(Connection& connection) {
    if (loop_.open_loop && brings_request(connection)) return release(connection);
    open(connection, loop_.clock.now);
  }

  // Pauses grow from 10 to 640 ms while a connection fails in a row, so a server that always fails
  // is not hammered, and the loop never spins.
  void reopen_later(Connection& connection) {
    constexpr std::uint8_t kMostDoublings = 6;
    loop_.timers.set(connection, std::chrono::milliseconds(10) * (1 << connection.failures));
    if (connection.failures < kMostDoublings) ++connection.failures;
  }

  void check_timeout(Connection& connection) {
    const Nanoseconds age = loop_.clock.now - connection.waiting_since;
    if (connection.status == Status::connecting) {
      // One without a socket waits for another attempt, which looks at the time itself.
      if (connection.fd && age > loop_.options.connect_timeout) {
        connect_failed(connection, Errno{ETIMEDOUT});
      }
    } else if (connection.role == Role::active && age > loop_.options.timeout) {
      if (connection.status == Status::open && connection.in_flight > 0) {
        time_out(connection, "no complete response within ");
      } else if (connection.status == Status::closing) {
        time_out(connection, "the server did not close within ");
      }
    }
  }
  void time_out(Connection& connection, const char* what) {
    follow(connection, conversation_.lose(connection, ErrorKind::timeout,
                                          what + to_string(loop_.options.timeout)));
  }

  LoopState& loop_;
  Client client_;
  ConnectionTable<Client> connections_;
  TimeoutSweep timeouts_;
  Requests requests_;
  OpenLoop open_loop_;
  Opening<Client> opening_;
  Background<Client> background_;
  Churn<Client> churn_;
  Conversation<Client> conversation_;
  std::vector<Connection*> to_open_;  // by the next load
};

}  // namespace muxbench::loadgen
