// Opens a thread's connections, one step at a time; what follows is for the caller.
#pragma once

#include <fmt/format.h>
#include <sys/socket.h>

#include <utility>

#include "engine/connector.h"
#include "engine/loop_state.h"

namespace muxbench::loadgen {

template <typename Client>
class Opening {
 public:
  struct Step {
    enum class Kind : std::uint8_t { pending, connected, failed };
    Kind kind = Kind::pending;
    Errno error{};  // why it failed
  };

  Opening(LoopState& loop, Client& client)
      : loop_(loop),
        client_(client),
        connector_(loop.options.target, loop.share.thread, loop.options.threads) {}

  // Before the first one.
  void start() noexcept { last_connected_ = loop_.clock.now; }

  // A connection is to be opened. attempt() follows.
  void begin(Connection& connection) noexcept {
    connection.waiting_since = loop_.clock.now;
    connection.status = Status::connecting;
    ++in_progress_;
  }

  // `resumes`: in place of one that has not answered all its requests.
  Step attempt(Connection& connection, bool resumes) {
    Connector::Attempt attempt = connector_.start();
    if (!attempt.fd) {
      // connect(2): an AF_UNIX listener whose backlog is full says EAGAIN; it may have room soon.
      const bool full = attempt.error == Errno{EAGAIN} && loop_.options.target.is_unix() &&
                        Clock::now() - connection.waiting_since < loop_.options.connect_timeout;
      if (!full) return {Step::Kind::failed, attempt.error};
      loop_.timers.set(connection, std::chrono::milliseconds(1));
      return {};
    }
    connection.fd = std::move(attempt.fd);
    ++connection.incarnation;
    connection.answered = resumes;
    if (resumes) {
      if constexpr (Client::kResumes) client_.resume(protocol_of<Client>(connection));
    } else if (connection.role != Role::idle) {
      client_.open(protocol_of<Client>(connection), connection.number, connection.incarnation);
    }
    loop_.poller.add(connection);
    return {attempt.in_progress ? Step::Kind::pending : Step::Kind::connected};
  }

  // An event has come for one that is being opened.
  Step on_event(const Connection& connection, std::uint32_t events) {
    if ((events & (EPOLLOUT | EPOLLERR)) == 0) return {};
    int error = 0;
    if ((events & EPOLLERR) != 0) {
      socklen_t size = sizeof error;
      ::getsockopt(connection.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error != 0) return {Step::Kind::failed, Errno{error}};
    return {Step::Kind::connected};
  }

  void succeeded(Connection& connection) {
    --in_progress_;
    connection.status = Status::open;
    last_connected_ = loop_.clock.read();
    loop_.statistics.connected(loop_.clock.now - connection.waiting_since);
  }

  void failed(const Connection& connection, Errno error, bool before_the_load) {
    --in_progress_;
    report(connection, error);
    // 100,000 times the timeout, 128 at once, would be an hour.
    const bool in_vain = loop_.clock.now - last_connected_ > loop_.options.connect_timeout;
    if (before_the_load && error == Errno{ETIMEDOUT} && in_vain) takes_no_more_ = true;
  }

  void report(const Connection& connection, Errno error) {
    loop_.statistics.errors().add(kind_of_failure(error), [&] {
      return fmt::format("connection {}: {}", connection.number,
                         explain_failure(error, loop_.options.target));
    });
  }

  std::uint32_t in_progress() const noexcept { return in_progress_; }
  // The server, before the load; no more are to be tried.
  bool takes_no_more() const noexcept { return takes_no_more_; }

 private:
  LoopState& loop_;
  Client& client_;
  Connector connector_;
  std::uint32_t in_progress_ = 0;  // connections being opened
  Instant last_connected_;         // when the latest one was open, or the first was begun
  bool takes_no_more_ = false;
};

}  // namespace muxbench::loadgen
