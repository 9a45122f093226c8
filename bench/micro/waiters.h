// The waiting primitives, each behind the same functions, so that one benchmark serves all:
//   explicit X(const WatchedSet&)     watches every descriptor of the set for reading
//   static std::size_t largest()      how many it can watch at all
//   std::size_t wait()                one call into the kernel: the number of descriptors it
//   reported as ready void rearm()                      what has to be said again before the next
//   wait; empty for most
#pragma once

#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "watched_set.h"

#ifdef MUXBENCH_HAS_LIBURING
#include <liburing.h>
#endif

namespace muxbench {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

// select(2): the sets are overwritten by the call, so a copy is made before each, as every user of
// it must.
class Select {
 public:
  static constexpr const char* kName = "select";
  static constexpr std::size_t largest() {
    return 1000;
  }  // FD_SETSIZE less what a process has open

  explicit Select(const WatchedSet& set) {
    FD_ZERO(&watched_);
    for (const UniqueFd& fd : set.watched()) {
      FD_SET(fd.get(), &watched_);
      highest_ = std::max(highest_, fd.get());
    }
  }
  std::size_t wait() {
    fd_set ready = watched_;
    return static_cast<std::size_t>(::select(highest_ + 1, &ready, nullptr, nullptr, nullptr));
  }
  void rearm() {}

 private:
  fd_set watched_;
  int highest_ = 0;
};

class Poll {
 public:
  static constexpr const char* kName = "poll";
  static constexpr std::size_t largest() { return kNoLimit; }

  explicit Poll(const WatchedSet& set) {
    for (const UniqueFd& fd : set.watched()) watched_.push_back({fd.get(), POLLIN, 0});
  }
  std::size_t wait() {
    return static_cast<std::size_t>(::poll(watched_.data(), watched_.size(), -1));
  }
  void rearm() {}

 private:
  std::vector<pollfd> watched_;
};

template <std::uint32_t kFlags>
class Epoll {
 public:
  static constexpr const char* kName = kFlags == 0 ? "epoll_level" : "epoll_edge";
  static constexpr std::size_t largest() { return kNoLimit; }

  explicit Epoll(const WatchedSet& set) : events_(set.watched().size()) {
    for (const UniqueFd& fd : set.watched()) {
      epoll_event event{.events = EPOLLIN | kFlags, .data = {.fd = fd.get()}};
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event);
    }
  }
  std::size_t wait() {
    return static_cast<std::size_t>(
        ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), -1));
  }
  void rearm() {}

 private:
  UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  std::vector<epoll_event> events_;
};
using EpollLevel = Epoll<0>;
using EpollEdge = Epoll<EPOLLET>;

// fcntl(2) F_SETSIG: each descriptor queues a real-time signal when it becomes ready; a signalfd
// takes many in one read.
class RealTimeSignals {
 public:
  static constexpr const char* kName = "rt_signal";
  static std::size_t largest();  // RLIMIT_SIGPENDING: beyond it signals are lost

  explicit RealTimeSignals(const WatchedSet& set);
  ~RealTimeSignals();
  RealTimeSignals(const RealTimeSignals&) = delete;
  std::size_t wait();
  void rearm() {}

 private:
  UniqueFd signals_;
  std::vector<std::byte> buffer_;
  const WatchedSet* set_;
};

// Linux AIO with IOCB_CMD_POLL (Linux 4.18): one-shot, so what was reported is submitted again.
class AioPoll {
 public:
  static constexpr const char* kName = "aio_poll";
  static std::size_t largest();  // fs.aio-max-nr

  explicit AioPoll(const WatchedSet& set);
  ~AioPoll();
  AioPoll(const AioPoll&) = delete;
  std::size_t wait();
  void rearm();

 private:
  aio_context_t context_ = 0;
  std::vector<iocb> requests_;
  std::vector<iocb*> pending_;
  std::vector<io_event> events_;
};

#ifdef MUXBENCH_HAS_LIBURING
// io_uring with multishot poll (Linux 5.13): armed once, a completion each time a descriptor
// becomes ready.
class UringPoll {
 public:
  static constexpr const char* kName = "uring_poll";
  static constexpr std::size_t largest() { return kNoLimit; }

  explicit UringPoll(const WatchedSet& set);
  ~UringPoll();
  UringPoll(const UringPoll&) = delete;
  std::size_t wait();
  void rearm() {}

 private:
  io_uring ring_{};
};
#endif

}  // namespace muxbench
