// What the tests of kevent(2) share: a queue, and a pair of sockets of which one end is watched.
#pragma once

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "compat/kevent.h"

namespace muxbench {

inline constexpr timespec kAtOnce{};

struct Kevent : ::testing::Test {
  Kevent() {
    int pair[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    ours.reset(pair[0]);
    peer.reset(pair[1]);
  }

  static void* tag(std::uintptr_t number) { return reinterpret_cast<void*>(number); }

  struct kevent change(short filter, int flags, void* udata = nullptr) const {
    return change_of(ours.get(), filter, flags, udata);
  }
  static struct kevent change_of(int fd, short filter, int flags, void* udata = nullptr) {
    struct kevent change;
    EV_SET(&change, static_cast<std::uintptr_t>(fd), filter, static_cast<unsigned short>(flags), 0,
           0, udata);
    return change;
  }

  // 0, or errno of a change that is made without room for an event.
  int apply(const struct kevent& change) const {
    return ::kevent(queue.get(), &change, 1, nullptr, 0, nullptr) == 0 ? 0 : errno;
  }

  std::vector<struct kevent> poll(std::size_t room = 8) const {
    std::vector<struct kevent> events(room);
    const int count =
        ::kevent(queue.get(), nullptr, 0, events.data(), static_cast<int>(room), &kAtOnce);
    EXPECT_GE(count, 0) << "errno " << errno;
    events.resize(static_cast<std::size_t>(std::max(count, 0)));
    return events;
  }

  void peer_says(const std::string& text) const {
    ASSERT_EQ(::send(peer.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  void read_all() const {
    char buffer[256];
    while (::recv(ours.get(), buffer, sizeof buffer, 0) > 0) {
    }
  }
  void fill() const {
    const std::vector<char> bytes(65536);
    while (::send(ours.get(), bytes.data(), bytes.size(), 0) > 0) {
    }
  }
  void drain_peer() const {
    std::vector<char> buffer(65536);
    while (::recv(peer.get(), buffer.data(), buffer.size(), 0) > 0) {
    }
  }

  UniqueFd queue{::kqueue()};
  UniqueFd ours;
  UniqueFd peer;
};

inline auto is(short filter, std::uintptr_t tag) {
  return ::testing::AllOf(::testing::Field(&kevent::filter, filter),
                          ::testing::Field(&kevent::udata, reinterpret_cast<void*>(tag)));
}

}  // namespace muxbench
