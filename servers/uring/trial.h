// What a ring can do beyond its set-up, tried once before a model relies on it: a kernel that does
// not know a flag refuses the operation, or does it without. Each returns false for both.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include "base/unique_fd.h"
#include "uring/ring.h"

namespace muxbench::uring::trial {

// Sockets of our own, with something to do for every operation: it completes when it is submitted.
class Sockets {
 public:
  Sockets() {
    int ends[2] = {-1, -1};
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
    readable_.reset(ends[0]);
    other_end_.reset(ends[1]);
    ::send(other_end_.get(), "x", 1, MSG_NOSIGNAL);

    // Only a family: the kernel gives it an address that no file stands for.
    sockaddr address{.sa_family = AF_UNIX, .sa_data = {}};
    socklen_t length = sizeof address.sa_family;
    sockaddr_storage given{};
    // Where one of these fails, so does the trial, and says so.
    static_cast<void>(::bind(listener_.get(), &address, length));
    ::listen(listener_.get(), 1);
    length = sizeof given;
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&given), &length);
    static_cast<void>(::connect(client_.get(), reinterpret_cast<sockaddr*>(&given), length));
  }

  int readable() const noexcept { return readable_.get(); }
  int listener() const noexcept { return listener_.get(); }

 private:
  static int stream() noexcept { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }

  UniqueFd readable_;
  UniqueFd other_end_;
  UniqueFd listener_{stream()};
  UniqueFd client_{stream()};
};

// Submits what was prepared; the completions that have come, whose number is known.
inline std::vector<io_uring_cqe> completions(Ring& ring, unsigned expected) {
  constexpr int kPatience = 1000;
  std::vector<io_uring_cqe> seen;
  while (seen.size() < expected) {
    ring.submit_and_wait(kPatience);
    const auto before = seen.size();
    ring.each_completion([&](const io_uring_cqe& cqe) { seen.push_back(cqe); });
    if (seen.size() == before) break;
  }
  return seen;
}

// Does the multishot operation that `fill` writes complete and stay armed? Its socket must outlive
// the ring's next trial: the end of it would be one more completion.
template <typename Fill>
bool stays_armed(Ring& ring, Fill fill) {
  fill(ring.next_sqe());
  const auto seen = completions(ring, 1);
  return seen.size() == 1 && (seen[0].flags & IORING_CQE_F_MORE) != 0;
}

inline bool polls_many_times(Ring& ring, const Sockets& sockets) {
  return stays_armed(ring, [&](io_uring_sqe* sqe) {
    ::io_uring_prep_poll_multishot(sqe, sockets.readable(), POLLIN);
  });
}

// Can an epoll set be waited for (Linux 6.15)?
inline bool waits_for_epoll(Ring& ring, const Sockets& sockets) {
  const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event watched{.events = EPOLLIN, .data = {.u64 = 1}};
  ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, sockets.readable(), &watched);
  epoll_event ready{};
  prep_epoll_wait(ring.next_sqe(), epoll.get(), {&ready, 1});
  const auto seen = completions(ring, 1);
  return seen.size() == 1 && seen[0].res == 1 && ready.data.u64 == 1;
}

// Does a message get to a ring of these flags (Linux 5.18; where completions are deferred 6.3)?
inline bool passes_messages(Ring& ring, const Ring::Flags& flags) {
  Ring other(flags);
  if (!other.ok()) return false;
  ::io_uring_prep_msg_ring(ring.next_sqe(), other.get()->ring_fd, 1, 2, 0);
  const auto sent = completions(ring, 1);
  if (sent.size() != 1 || sent[0].res != 0) return false;
  const auto received = completions(other, 1);
  return received.size() == 1 && received[0].res == 1 && received[0].user_data == 2;
}

// Is a success kept silent that is not wanted (IOSQE_CQE_SKIP_SUCCESS, Linux 5.17)?
inline bool skips_success(Ring& ring) {
  io_uring_sqe* silent = ring.next_sqe();
  ::io_uring_prep_nop(silent);
  silent->flags |= IOSQE_CQE_SKIP_SUCCESS;
  silent->user_data = 1;
  io_uring_sqe* last = ring.next_sqe();
  ::io_uring_prep_nop(last);
  last->user_data = 2;
  const auto seen = completions(ring, 1);
  return seen.size() == 1 && seen[0].user_data == 2 && seen[0].res == 0;
}

// Does the failure of an operation cancel the one that is linked to it?
inline bool links(Ring& ring) {
  io_uring_sqe* fails = ring.next_sqe();
  ::io_uring_prep_recv(fails, -1, nullptr, 0, 0);
  fails->flags |= IOSQE_IO_LINK;
  ::io_uring_prep_nop(ring.next_sqe());
  const auto seen = completions(ring, 2);
  return seen.size() == 2 && seen[0].res == -EBADF && seen[1].res == -ECANCELED;
}

}  // namespace muxbench::uring::trial
