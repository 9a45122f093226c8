// Ways to tell the kernel what to watch, each behind the same functions, so that one benchmark
// serves all:
//   X(const WatchedSet&, batch)   `batch`: how many changes travel in one system call;
//                                 it divides their number
//   bool open()                   whether it could be set up
//   bool add(), modify(), remove()  every descriptor of the set; false when a call failed
//   bool settle()                 takes in what the kernel has to say afterwards; false: a refusal
#pragma once

#include <array>

#include "waiters.h"

namespace muxbench {

// epoll_ctl(2) takes one change a call. Modifying adds and drops EPOLLRDHUP: not ready either way.
class EpollControl {
 public:
  EpollControl(const WatchedSet& set, std::size_t) : set_(set) {}
  bool open() const { return static_cast<bool>(epoll_); }
  bool add() { return control(EPOLL_CTL_ADD, EPOLLIN); }
  bool modify() { return control(EPOLL_CTL_MOD, EPOLLIN | (events_ ^= EPOLLRDHUP)); }
  bool remove() { return control(EPOLL_CTL_DEL, 0); }
  bool settle() { return true; }

 private:
  bool control(int operation, std::uint32_t events);

  UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  const WatchedSet& set_;
  std::uint32_t events_ = 0;
};

// kevent(2) takes any number. Modifying disables the filter and enables it again.
class KeventChanges {
 public:
  KeventChanges(const WatchedSet& set, std::size_t batch);
  bool open() const { return static_cast<bool>(queue_); }
  bool add() { return change(EV_ADD); }
  bool modify() { return change((enabled_ = !enabled_) ? EV_ENABLE : EV_DISABLE); }
  bool remove() { return change(EV_DELETE); }
  bool settle() { return true; }

 private:
  bool change(unsigned short flags);

  UniqueFd queue_{::kqueue()};
  std::vector<struct kevent> changes_;
  std::size_t batch_;
  bool enabled_ = true;
};

// F_SETSIG, F_SETOWN and O_ASYNC: three fcntl(2) calls to add, one to remove.
class SignalRequests {
 public:
  SignalRequests(const WatchedSet& set, std::size_t) : set_(set) {}
  // A descriptor that still asks when it is closed queues a signal, for somebody else to find.
  ~SignalRequests() { remove(); }
  SignalRequests(const SignalRequests&) = delete;
  bool open() const { return true; }
  bool add();
  bool remove();
  bool settle() { return true; }

 private:
  const WatchedSet& set_;
};

// io_submit(2) of IOCB_CMD_POLL takes any number. One-shot: this is paid again after each event.
class AioSubmissions {
 public:
  AioSubmissions(const WatchedSet& set, std::size_t batch);
  ~AioSubmissions();
  AioSubmissions(const AioSubmissions&) = delete;
  bool open();
  bool add();
  bool remove();  // only by taking down the context: not timed
  bool settle() { return true; }

 private:
  aio_context_t context_ = 0;
  std::vector<iocb> requests_;
  std::vector<iocb*> places_;
  std::size_t batch_;
};

#ifdef MUXBENCH_HAS_LIBURING
// io_uring_enter(2) submits any number of IORING_OP_POLL_ADD and POLL_REMOVE; modifying is an update
// of the events that adds and drops POLLRDHUP.
class UringPollRequests {
 public:
  UringPollRequests(const WatchedSet& set, std::size_t batch) : set_(set), batch_(batch) {}
  ~UringPollRequests();
  UringPollRequests(const UringPollRequests&) = delete;
  bool open();
  bool add();
  bool modify();
  bool remove();
  bool settle();  // waits for all completions that are due

 private:
  template <typename Prepare>
  bool submit(Prepare prepare);

  io_uring ring_{};
  bool open_ = false;
  const WatchedSet& set_;
  std::size_t batch_;
  unsigned events_ = POLLIN;
  std::size_t due_ = 0;  // completions
};
#endif

}  // namespace muxbench
