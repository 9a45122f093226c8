#include "compat/kevent.h"

#ifndef MUXBENCH_HAVE_SYS_EVENT_H

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"

namespace {

using muxbench::Clock;
using muxbench::Nanoseconds;

struct Filter {
  bool exists : 1 = false;
  bool enabled : 1 = false;
  bool oneshot : 1 = false;
  bool clear : 1 = false;

  bool active() const noexcept { return exists && enabled; }
};

// What is registered for one descriptor. epoll forgets by itself when it is closed, and this is
// found to be out of date when epoll_ctl(2) says ENOENT.
struct Watched {
  std::uint32_t generation = 0;     // tells events of this registration from those of one before
  std::array<Filter, 2> filters{};  // READ and WRITE
  bool registered = false;          // in the epoll set
  bool write_first = false;         // whose turn it is when there is room for one event only

  std::uint32_t events() const noexcept {
    const auto [read, write] = filters;
    std::uint32_t events = 0;
    if (read.active()) events |= EPOLLIN | EPOLLRDHUP;
    if (write.active()) events |= EPOLLOUT;
    // A hang-up is reported whatever is asked for. With no filter to tell it to, once is enough.
    const bool edge = (read.active() && read.clear) || (write.active() && write.clear);
    return edge || events == 0 ? events | EPOLLET : events;
  }
};

short filter_of(std::size_t index) noexcept { return index == 0 ? EVFILT_READ : EVFILT_WRITE; }

class Queue {
 public:
  explicit Queue(int epoll) : epoll_(epoll) {}

  // 0, or what is wrong with this change.
  int apply(const struct kevent& change) noexcept;
  // Events that are ready now or within `timeout_ms` (-1: for ever), or -1 and errno.
  int wait(std::span<struct kevent> events, const std::timespec* timeout) noexcept;

 private:
  int add(int fd, Watched& watched, std::size_t index, const struct kevent& change) noexcept;
  int control(int operation, int fd, Watched& watched) noexcept;
  int update(int fd, Watched& watched) noexcept;
  int collect(std::span<const epoll_event> ready, std::span<struct kevent> events) noexcept;

  int epoll_;
  // By descriptor. A deque grows by what is needed, where a vector would make room for twice that.
  std::deque<Watched> watched_;
  std::array<std::deque<void*>, 2> udata_;  // READ and WRITE; few descriptors have the second
};

int Queue::control(int operation, int fd, Watched& watched) noexcept {
  epoll_event event{};
  event.events = watched.events();
  event.data.u64 = std::uint64_t{watched.generation} << 32 | static_cast<std::uint32_t>(fd);
  if (::epoll_ctl(epoll_, operation, fd, &event) != 0) return errno;
  watched.registered = operation != EPOLL_CTL_DEL;
  return 0;
}

// Tells epoll what the filters want now. ENOENT: the descriptor was closed since they were added.
int Queue::update(int fd, Watched& watched) noexcept {
  const bool wanted = watched.filters[0].exists || watched.filters[1].exists;
  const int error = control(wanted ? EPOLL_CTL_MOD : EPOLL_CTL_DEL, fd, watched);
  if (error != 0) watched = {.generation = watched.generation + 1};
  return error;
}

int Queue::add(int fd, Watched& watched, std::size_t index, const struct kevent& change) noexcept {
  const Filter added{.exists = true,
                     .enabled = (change.flags & EV_DISABLE) == 0,
                     .oneshot = (change.flags & EV_ONESHOT) != 0,
                     .clear = (change.flags & EV_CLEAR) != 0};
  const Watched before = watched;
  watched.filters[index] = added;
  if (watched.registered) {
    const Filter& other = watched.filters[1 - index];
    const bool mixed = other.exists && other.clear != added.clear;
    const int error = mixed ? ENOTSUP : control(EPOLL_CTL_MOD, fd, watched);
    if (error == 0) return 0;
    watched = before;
    if (error != ENOENT && !mixed) return error;
    // The number may belong to another file by now, of which nothing is known yet.
    if (mixed && control(EPOLL_CTL_MOD, fd, watched) != ENOENT) return ENOTSUP;
  }
  watched = {.generation = before.generation + 1};
  watched.filters[index] = added;
  const int error = control(EPOLL_CTL_ADD, fd, watched);
  if (error != 0) watched.filters[index] = {};
  return error;
}

int Queue::apply(const struct kevent& change) noexcept {
  constexpr unsigned kKnown =
      EV_ADD | EV_DELETE | EV_ENABLE | EV_DISABLE | EV_ONESHOT | EV_CLEAR | EV_RECEIPT;
  if (change.filter != EVFILT_READ && change.filter != EVFILT_WRITE) return EINVAL;
  if ((change.flags & ~kKnown) != 0) return EINVAL;
  if (change.ident > INT32_MAX) return EBADF;
  const std::size_t index = change.filter == EVFILT_READ ? 0 : 1;
  const bool adds = (change.flags & EV_ADD) != 0;
  const int fd = static_cast<int>(change.ident);
  if (change.ident >= (adds ? udata_[index].size() : watched_.size())) {
    if (::fcntl(fd, F_GETFD) < 0) return EBADF;
    if (!adds) return ENOENT;
    try {
      if (change.ident >= watched_.size()) watched_.resize(change.ident + 1);
      udata_[index].resize(change.ident + 1);
    } catch (const std::bad_alloc&) {
      return ENOMEM;
    }
  }
  Watched& watched = watched_[change.ident];
  if (adds) {
    const int error = add(fd, watched, index, change);
    if (error == 0) udata_[index][change.ident] = change.udata;
    return error;
  }
  Filter& filter = watched.filters[index];
  if (!filter.exists) return ENOENT;
  if ((change.flags & EV_DELETE) != 0) filter = {};
  if ((change.flags & EV_ENABLE) != 0) filter.enabled = true;
  if ((change.flags & EV_DISABLE) != 0) filter.enabled = false;
  return update(fd, watched);
}

// Turns each ready descriptor into an event for each of its filters.
int Queue::collect(std::span<const epoll_event> ready, std::span<struct kevent> events) noexcept {
  std::size_t used = 0;
  for (const epoll_event& event : ready) {
    const auto fd = static_cast<std::uint32_t>(event.data.u64);
    Watched& watched = watched_[fd];
    if (watched.generation != event.data.u64 >> 32) continue;
    const bool broken = (event.events & (EPOLLHUP | EPOLLERR)) != 0;
    const std::array<bool, 2> fires{broken || (event.events & (EPOLLIN | EPOLLRDHUP)) != 0,
                                    broken || (event.events & EPOLLOUT) != 0};
    const std::array<bool, 2> ends{broken || (event.events & EPOLLRDHUP) != 0, broken};
    bool must_update = false;
    const std::size_t first = watched.write_first ? 1 : 0;
    for (const std::size_t i : {first, 1 - first}) {
      Filter& filter = watched.filters[i];
      if (!fires[i] || !filter.active()) continue;
      if (used == events.size()) {
        // No room: modifying the registration makes epoll report it again, even at an edge.
        watched.write_first = i == 1;
        must_update = true;
        continue;
      }
      EV_SET(&events[used++], fd, filter_of(i), ends[i] ? EV_EOF : 0, 0, 0, udata_[i][fd]);
      if (filter.clear) events[used - 1].flags |= EV_CLEAR;
      if (!filter.oneshot) continue;
      events[used - 1].flags |= EV_ONESHOT;
      filter = {};
      must_update = true;
    }
    if (must_update) update(static_cast<int>(fd), watched);
  }
  return static_cast<int>(used);
}

int Queue::wait(std::span<struct kevent> events, const std::timespec* timeout) noexcept {
  constexpr std::size_t kBatch = 512;
  constexpr std::time_t kLongest = 1'000'000'000;  // seconds: beyond, nanoseconds overflow
  std::array<epoll_event, kBatch> ready;
  const bool waits = timeout != nullptr && (timeout->tv_sec != 0 || timeout->tv_nsec != 0);
  std::optional<Clock::time_point> deadline;
  if (waits) {
    deadline = Clock::now() +
               std::chrono::seconds(std::min<std::time_t>(timeout->tv_sec, kLongest)) +
               Nanoseconds(timeout->tv_nsec);
  }
  int timeout_ms = timeout == nullptr ? -1 : 0;
  while (true) {
    if (deadline) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
      timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT32_MAX));
    }
    const auto room = static_cast<int>(std::min(kBatch, events.size()));
    const int count = ::epoll_wait(epoll_, ready.data(), room, timeout_ms);
    if (count <= 0) return count;
    const int collected = collect({ready.data(), static_cast<std::size_t>(count)}, events);
    if (collected != 0) return collected;
  }
}

bool is_valid(const std::timespec& time) noexcept {
  return time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < 1'000'000'000;
}

// close(2) tells us nothing: a queue that is gone is found when its number is given out again.
std::mutex queues_mutex;
std::vector<std::unique_ptr<Queue>> queues;  // by descriptor

Queue* find_queue(int queue) noexcept {
  const std::lock_guard lock(queues_mutex);
  const auto index = static_cast<std::size_t>(queue);
  return queue >= 0 && index < queues.size() ? queues[index].get() : nullptr;
}

}  // namespace

int kqueue() noexcept {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return -1;
  const std::lock_guard lock(queues_mutex);
  const auto index = static_cast<std::size_t>(epoll);
  try {
    if (index >= queues.size()) queues.resize(index + 1);
    queues[index] = std::make_unique<Queue>(epoll);
  } catch (const std::bad_alloc&) {
    ::close(epoll);
    errno = ENOMEM;
    return -1;
  }
  return epoll;
}

int kevent(int queue, const struct kevent* changes, int change_count, struct kevent* events,
           int event_count, const std::timespec* timeout) noexcept {
  Queue* const found = find_queue(queue);
  if (found == nullptr) {
    errno = EBADF;
    return -1;
  }
  int failed = 0;
  for (int i = 0; i < change_count; ++i) {
    const struct kevent change = changes[i];  // a copy: `events` may be the same array
    const int error = found->apply(change);
    if (error == 0 && (change.flags & EV_RECEIPT) == 0) continue;
    if (failed == event_count) {
      if (error == 0) continue;
      errno = error;
      return -1;
    }
    events[failed] = change;
    events[failed].flags = EV_ERROR;
    events[failed].data = error;
    ++failed;
  }
  if (failed != 0 || event_count == 0) return failed;
  if (timeout != nullptr && !is_valid(*timeout)) {
    errno = EINVAL;
    return -1;
  }
  return found->wait({events, static_cast<std::size_t>(event_count)}, timeout);
}

#endif
