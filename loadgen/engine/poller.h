// A thread's epoll instance. A socket is registered once, edge-triggered, so in steady state there
// is no epoll_ctl.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <ctime>

#include "engine/connection.h"

namespace muxbench::loadgen {

class Poller {
 public:
  explicit Poller(bool unix_sockets)
      : epoll_(::epoll_create1(EPOLL_CLOEXEC)), unix_sockets_(unix_sockets) {}

  // Its events carry the connection. A stale one cannot reach a reopened connection: one wait
  // reports a socket once, and it is closed only while its own event is handled or between waits.
  // A TCP socket reports EPOLLOUT as an edge only after a send has found it full, so it stays
  // registered. An AF_UNIX one reports it each time the peer reads: that is asked for when blocked.
  void add(Connection& connection) const noexcept {
    control(EPOLL_CTL_ADD, connection.fd.get(), &connection,
            events_of(connection) | (unix_sockets_ ? 0U : std::uint32_t{EPOLLOUT}));
  }
  // A descriptor that only ends a wait: its events carry no connection.
  void add_wakeup(int fd) const noexcept { control(EPOLL_CTL_ADD, fd, nullptr, EPOLLIN | EPOLLET); }

  void watch_writable(Connection& connection, bool on) const noexcept {
    connection.send_blocked = on;
    if (!unix_sockets_) return;
    control(EPOLL_CTL_MOD, connection.fd.get(), &connection,
            events_of(connection) | (on ? std::uint32_t{EPOLLOUT} : 0U));
  }

  // Whole milliseconds, rounded up.
  std::span<const epoll_event> wait(Nanoseconds longest) noexcept {
    const auto ceiling = std::chrono::ceil<std::chrono::milliseconds>(longest);
    return found(::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                              static_cast<int>(ceiling.count())));
  }
  std::span<const epoll_event> wait_precisely(Nanoseconds longest) noexcept {
    const timespec timeout{.tv_sec = longest.count() / 1'000'000'000,
                           .tv_nsec = longest.count() % 1'000'000'000};
    return found(::epoll_pwait2(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                                &timeout, nullptr));
  }

 private:
  static std::uint32_t events_of(const Connection& connection) noexcept {
    return EPOLLRDHUP | EPOLLET |
           (connection.role == Role::never_read ? 0U : std::uint32_t{EPOLLIN});
  }
  void control(int operation, int fd, Connection* connection, std::uint32_t events) const noexcept {
    epoll_event event{};
    event.events = events;
    event.data.ptr = connection;
    ::epoll_ctl(epoll_.get(), operation, fd, &event);
  }
  std::span<const epoll_event> found(int count) const noexcept {
    return std::span(events_).first(count > 0 ? static_cast<std::size_t>(count) : 0);
  }

  UniqueFd epoll_;
  bool unix_sockets_;
  std::array<epoll_event, 512> events_;
};

}  // namespace muxbench::loadgen
