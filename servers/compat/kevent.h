// kqueue(2) and kevent(2): the system's own, or libkqueue, or else the part of them that a socket
// server uses, over epoll.
//
// The shim follows the text of FreeBSD's kqueue(2):
// - EVFILT_READ and EVFILT_WRITE; EV_ADD, DELETE, ENABLE, DISABLE, ONESHOT, CLEAR, RECEIPT;
//   EV_EOF and EV_ERROR come back. Level-triggered unless EV_CLEAR is set.
// - One call takes changes and returns events; the same array may serve for both. A change that
//   fails comes back with EV_ERROR, and if any did, the call returns those alone.
// - A filter goes away when its descriptor is closed. No timeout waits for ever, zero polls, and
//   without room for an event the call never waits.
// What is not so:
// - `data` is 0 (it would cost an ioctl(FIONREAD) for each event), and so is `fflags` at EV_EOF
//   (reading SO_ERROR would take the error away from the next recv).
// - EV_CLEAR reports once more what it has reported when the peer finishes sending or the
//   connection breaks, and after a descriptor was closed whose file is still open elsewhere.
// - A queue has a second descriptor, which stays open until its number is given to another queue.
//   Regular files are refused with EPERM.
// - One thread for each queue. A child process inherits the queue, and must not use it.
// - "Closed" is epoll's: a descriptor whose file is still open elsewhere (dup, fork) stays watched
//   until that is closed too, or until its filter is deleted or its number registered anew.
#pragma once

#ifdef MUXBENCH_HAVE_SYS_EVENT_H

#include <sys/event.h>

#else

#include <cstdint>
#include <ctime>

// Some names are the system's: struct kevent and the function hide each other by design.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

struct kevent {
  std::uintptr_t ident;  // the descriptor
  short filter;
  unsigned short flags;
  unsigned int fflags;
  std::int64_t data;
  void* udata;  // comes back with the event
};

constexpr short EVFILT_READ = -1;
constexpr short EVFILT_WRITE = -2;

constexpr unsigned short EV_ADD = 0x0001;
constexpr unsigned short EV_DELETE = 0x0002;
constexpr unsigned short EV_ENABLE = 0x0004;
constexpr unsigned short EV_DISABLE = 0x0008;
constexpr unsigned short EV_ONESHOT = 0x0010;
constexpr unsigned short EV_CLEAR = 0x0020;
constexpr unsigned short EV_RECEIPT = 0x0040;
constexpr unsigned short EV_ERROR = 0x4000;
constexpr unsigned short EV_EOF = 0x8000;

inline void EV_SET(struct kevent* event, std::uintptr_t ident, short filter, unsigned short flags,
                   unsigned int fflags, std::int64_t data, void* udata) noexcept {
  *event = {ident, filter, flags, fflags, data, udata};
}

// A queue, closed with close(2); -1 and errno.
int kqueue() noexcept;

// How many events (or failed changes) are in `events`; 0 when the time is over; -1 and errno. EINTR
// means that all changes have been made.
int kevent(int queue, const struct kevent* changes, int change_count, struct kevent* events,
           int event_count, const std::timespec* timeout) noexcept;

#pragma GCC diagnostic pop

#endif
