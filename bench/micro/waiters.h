// The waiting primitives, each behind the same functions, so that one benchmark serves all:
//   static std::string why_not()        why this host or build lacks it; empty when it is there
//   static std::size_t largest()        how many descriptors it can watch at all
//   Result<> watch(const WatchedSet&)   watches every descriptor of the set for reading
//   std::size_t wait(std::size_t n)     one call into the kernel, told how many descriptors are ready
//                                       still unreported; gives how many it reported
//   void rearm()                        what has to be said again before the next wait
#pragma once

#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "compat/kevent.h"
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
  static std::string why_not() { return ""; }
  // FD_SETSIZE, less what a process has open.
  static constexpr std::size_t largest() { return 1000; }

  Result<> watch(const WatchedSet& set) {
    FD_ZERO(&watched_);
    for (const UniqueFd& fd : set.watched()) {
      if (fd.get() >= FD_SETSIZE) return make_error("descriptor {} is beyond FD_SETSIZE", fd.get());
      FD_SET(fd.get(), &watched_);
      highest_ = std::max(highest_, fd.get());
    }
    return {};
  }
  std::size_t wait(std::size_t) {
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
  static std::string why_not() { return ""; }
  static constexpr std::size_t largest() { return kNoLimit; }

  Result<> watch(const WatchedSet& set) {
    for (const UniqueFd& fd : set.watched()) watched_.push_back({fd.get(), POLLIN, 0});
    return {};
  }
  std::size_t wait(std::size_t) {
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
  static std::string why_not() { return ""; }
  static constexpr std::size_t largest() { return kNoLimit; }

  Result<> watch(const WatchedSet& set) {
    events_.resize(set.watched().size());
    for (const UniqueFd& fd : set.watched()) {
      epoll_event event{.events = EPOLLIN | kFlags, .data = {.fd = fd.get()}};
      if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) {
        return make_error("epoll_ctl failed: {}", describe(last_errno()));
      }
    }
    return {};
  }
  std::size_t wait(std::size_t) {
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

// kevent(2) over the backend that the servers use (MUXBENCH_KEVENT_BACKEND). Our shim returns at
// most 512 events a call.
class Kevent {
 public:
  static constexpr const char* kName = "kevent";
  static std::string why_not() { return ""; }
  static constexpr std::size_t largest() { return kNoLimit; }

  Result<> watch(const WatchedSet& set);
  std::size_t wait(std::size_t ready);
  void rearm() {}

 private:
  UniqueFd queue_{::kqueue()};
  std::vector<struct kevent> events_;
};

// fcntl(2) F_SETSIG: each descriptor queues a real-time signal when it becomes ready; a signalfd
// takes many in one read.
class RealTimeSignals {
 public:
  static constexpr const char* kName = "rt_signal";
  static std::string why_not() { return ""; }
  static std::size_t largest();  // RLIMIT_SIGPENDING: beyond it signals are lost

  RealTimeSignals() = default;
  ~RealTimeSignals();
  RealTimeSignals(const RealTimeSignals&) = delete;
  Result<> watch(const WatchedSet& set);
  std::size_t wait(std::size_t ready);
  void rearm() {}

  // What asking for signals takes: three calls for each descriptor.
  static bool ask(int fd);
  static bool stop_asking(int fd);

 private:
  UniqueFd signals_;
  std::vector<std::byte> buffer_;
  const WatchedSet* set_ = nullptr;
};

// The same signals taken one by one with sigwaitinfo(2), as before there was signalfd.
class SignalsOneByOne : public RealTimeSignals {
 public:
  static constexpr const char* kName = "rt_sigwaitinfo";
  std::size_t wait(std::size_t ready);
};

// Linux AIO with IOCB_CMD_POLL (Linux 4.18): one-shot, so what was reported is submitted again,
// outside of the timed wait; registration_cost/aio_poll tells what that costs.
class AioPoll {
 public:
  static constexpr const char* kName = "aio_poll";
  static std::string why_not();
  static std::size_t largest();  // fs.aio-max-nr

  AioPoll() = default;
  ~AioPoll();
  AioPoll(const AioPoll&) = delete;
  Result<> watch(const WatchedSet& set);
  std::size_t wait(std::size_t ready);
  void rearm();

 private:
  aio_context_t context_ = 0;
  std::vector<iocb> requests_;
  std::vector<iocb*> pending_;  // to be submitted
  std::size_t reported_ = 0;    // by the last wait, at the front of events_
  std::vector<io_event> events_;
};

#ifdef MUXBENCH_HAS_LIBURING
// io_uring with multishot poll (Linux 5.13): armed once, a completion each time a descriptor
// becomes ready. Since Linux 6.13 a wait for one completion brings at most 20.
class UringPoll {
 public:
  static constexpr const char* kName = "uring_poll";
  static std::string why_not();
  static constexpr std::size_t largest() { return 16'384; }  // entries of a ring: 32,768

  UringPoll() = default;
  ~UringPoll();
  UringPoll(const UringPoll&) = delete;
  Result<> watch(const WatchedSet& set);
  std::size_t wait(std::size_t ready);
  void rearm() {}

 private:
  io_uring ring_{};
  bool open_ = false;
};
#else
inline constexpr const char* kNoLiburing =
    "it was built without liburing; apt-get install liburing-dev, and build again";
#endif

}  // namespace muxbench
