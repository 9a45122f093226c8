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
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"

namespace {

using muxbench::Clock;
using muxbench::Nanoseconds;
using muxbench::UniqueFd;

struct Filter {
  void* udata = nullptr;
  std::uint32_t generation = 0;  // tells its events from those of a filter before it
  bool exists : 1 = false;
  bool enabled : 1 = false;
  bool oneshot : 1 = false;
  bool clear : 1 = false;
};

// All filters of one kind, in an epoll set of their own. An edge of epoll reports whatever holds for
// a descriptor, not only what has changed; so with one set for both kinds, input would report room
// for output again. epoll forgets a filter by itself when its descriptor is closed, and this is
// found out when epoll_ctl(2) says ENOENT.
class FilterSet {
 public:
  FilterSet(short filter, std::uint32_t interest, int epoll)
      : filter_(filter), interest_(interest), epoll_(epoll) {}

  int epoll() const noexcept { return epoll_; }
  // 0, or what is wrong with this change.
  int apply(const struct kevent& change) noexcept;
  // Turns what epoll_wait(2) has returned into an event; false if there is nothing to report.
  bool report(const epoll_event& ready, struct kevent& event) noexcept;
  // See begin_anew(). Call it before the next wait.
  bool has_strangers() const noexcept { return has_strangers_; }
  int begin_anew() noexcept;

 private:
  Filter* find(const struct kevent& change) noexcept;
  int add(const struct kevent& change) noexcept;
  int control(int epoll, int operation, std::size_t fd, const Filter& filter) const noexcept;

  const short filter_;
  const std::uint32_t interest_;
  const int epoll_;
  bool has_strangers_ = false;
  // By descriptor. A deque grows by what is needed, where a vector would make room for twice that.
  std::deque<Filter> filters_;
};

int FilterSet::control(int epoll, int operation, std::size_t fd,
                       const Filter& filter) const noexcept {
  epoll_event event{};
  // A hang-up is reported whatever is asked for; of a disabled filter once is enough.
  event.events = filter.enabled ? interest_ : EPOLLET | EPOLLONESHOT;
  if (filter.clear) event.events |= EPOLLET;
  event.data.u64 = std::uint64_t{filter.generation} << 32 | static_cast<std::uint32_t>(fd);
  return ::epoll_ctl(epoll, operation, static_cast<int>(fd), &event) == 0 ? 0 : errno;
}

Filter* FilterSet::find(const struct kevent& change) noexcept {
  if (change.ident >= filters_.size() || !filters_[change.ident].exists) return nullptr;
  return &filters_[change.ident];
}

int FilterSet::add(const struct kevent& change) noexcept {
  const std::size_t fd = change.ident;
  if (fd >= filters_.size()) {
    if (::fcntl(static_cast<int>(fd), F_GETFD) < 0) return EBADF;
    try {
      filters_.resize(fd + 1);
    } catch (const std::bad_alloc&) {
      return ENOMEM;
    }
  }
  Filter& filter = filters_[fd];
  Filter added{.udata = change.udata,
               .generation = filter.generation,
               .exists = true,
               .enabled = (change.flags & EV_DISABLE) == 0,
               .oneshot = (change.flags & EV_ONESHOT) != 0,
               .clear = (change.flags & EV_CLEAR) != 0};
  int error = filter.exists ? control(epoll_, EPOLL_CTL_MOD, fd, added) : ENOENT;
  if (error == ENOENT) {  // it is new, or the number belongs to another file by now
    ++added.generation;
    error = control(epoll_, EPOLL_CTL_ADD, fd, added);
    // The number leads to a file again that it led to once, and that was open all the time.
    if (error == EEXIST) error = control(epoll_, EPOLL_CTL_MOD, fd, added);
    filter = {.generation = added.generation};
  }
  if (error == 0) filter = added;
  return error;
}

int FilterSet::apply(const struct kevent& change) noexcept {
  if ((change.flags & EV_ADD) != 0) return add(change);
  Filter* const filter = find(change);
  if (filter == nullptr) {
    return ::fcntl(static_cast<int>(change.ident), F_GETFD) < 0 ? EBADF : ENOENT;
  }
  const bool removes = (change.flags & EV_DELETE) != 0;
  if ((change.flags & EV_ENABLE) != 0) filter->enabled = true;
  if ((change.flags & EV_DISABLE) != 0) filter->enabled = false;
  const int error = control(epoll_, removes ? EPOLL_CTL_DEL : EPOLL_CTL_MOD, change.ident, *filter);
  // ENOENT, or EBADF: the descriptor was closed since the filter was added.
  if (removes || error != 0) *filter = {.generation = filter->generation};
  return error;
}

bool FilterSet::report(const epoll_event& ready, struct kevent& event) noexcept {
  const auto fd = static_cast<std::uint32_t>(ready.data.u64);
  Filter& filter = filters_[fd];
  if (!filter.exists || filter.generation != ready.data.u64 >> 32) {
    has_strangers_ = true;
    return false;
  }
  if (!filter.enabled) return false;
  const std::uint32_t ends =
      filter_ == EVFILT_READ ? EPOLLHUP | EPOLLERR | EPOLLRDHUP : EPOLLHUP | EPOLLERR;
  EV_SET(&event, fd, filter_, (ready.events & ends) != 0 ? EV_EOF : 0, 0, 0, filter.udata);
  if (filter.clear) event.flags |= EV_CLEAR;
  if (filter.oneshot) {
    event.flags |= EV_ONESHOT;
    control(epoll_, EPOLL_CTL_DEL, fd, filter);
    filter = {.generation = filter.generation};
  }
  return true;
}

// A descriptor was closed while its file is open under another number: epoll still watches that
// file, epoll_ctl(2) cannot name it any more, and every wait would return at once. A new set takes
// the old one's number, without the strangers. (Edges may be reported once more.)
int FilterSet::begin_anew() noexcept {
  const UniqueFd fresh(::epoll_create1(EPOLL_CLOEXEC));
  if (!fresh) return errno;
  for (std::size_t fd = 0; fd < filters_.size(); ++fd) {
    Filter& filter = filters_[fd];
    if (!filter.exists) continue;
    // Only what the old set still knows by this number is the filter's own file.
    int error = control(epoll_, EPOLL_CTL_MOD, fd, filter);
    if (error == 0) error = control(fresh.get(), EPOLL_CTL_ADD, fd, filter);
    if (error == ENOMEM || error == ENOSPC) return error;
    if (error != 0) filter = {.generation = filter.generation};
  }
  if (::dup3(fresh.get(), epoll_, O_CLOEXEC) < 0) return errno;
  has_strangers_ = false;
  return 0;
}

class Queue {
 public:
  // `writes` is the second set's, and lies in the first.
  Queue(int epoll, UniqueFd writes)
      : writes_epoll_(std::move(writes)),
        reads_(EVFILT_READ, EPOLLIN | EPOLLRDHUP, epoll),
        writes_(EVFILT_WRITE, EPOLLOUT, writes_epoll_.get()) {}

  // 0, or an errno.
  int connect_sets() noexcept;
  // 0, or what is wrong with this change.
  int apply(const struct kevent& change) noexcept;
  // Events that are ready now or within `timeout` (nullptr: for ever), or -1 and errno.
  int wait(std::span<struct kevent> events, const std::timespec* timeout) noexcept;

 private:
  static constexpr std::uint64_t kWrites = UINT64_MAX;
  static constexpr std::size_t kBatch = 512;
  using Batch = std::array<epoll_event, kBatch>;

  std::size_t take(std::span<struct kevent> events, Batch& ready, int count) noexcept;
  int drop_strangers() noexcept;

  UniqueFd writes_epoll_;
  FilterSet reads_;
  FilterSet writes_;
};

int Queue::connect_sets() noexcept {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWrites}};
  return ::epoll_ctl(reads_.epoll(), EPOLL_CTL_ADD, writes_.epoll(), &event) == 0 ? 0 : errno;
}

int Queue::apply(const struct kevent& change) noexcept {
  constexpr unsigned kKnown =
      EV_ADD | EV_DELETE | EV_ENABLE | EV_DISABLE | EV_ONESHOT | EV_CLEAR | EV_RECEIPT;
  if (change.filter != EVFILT_READ && change.filter != EVFILT_WRITE) return EINVAL;
  if ((change.flags & ~kKnown) != 0) return EINVAL;
  if (change.ident > INT32_MAX) return EBADF;
  return (change.filter == EVFILT_READ ? reads_ : writes_).apply(change);
}

// There is room for those of the second set, as that took a place among the ready.
std::size_t Queue::take(std::span<struct kevent> events, Batch& ready, int count) noexcept {
  std::size_t used = 0;
  bool has_writes = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = ready[static_cast<std::size_t>(i)];
    if (event.data.u64 == kWrites) {
      has_writes = true;
    } else if (reads_.report(event, events[used])) {
      ++used;
    }
  }
  if (!has_writes) return used;
  const auto room = static_cast<int>(std::min(kBatch, events.size() - used));
  const int writes = ::epoll_wait(writes_.epoll(), ready.data(), room, 0);
  for (int i = 0; i < writes; ++i) {
    if (writes_.report(ready[static_cast<std::size_t>(i)], events[used])) ++used;
  }
  return used;
}

int Queue::drop_strangers() noexcept {
  for (FilterSet* const set : {&reads_, &writes_}) {
    if (!set->has_strangers()) continue;
    if (const int error = set->begin_anew(); error != 0) return error;
    if (const int error = connect_sets(); error != 0) return error;
  }
  return 0;
}

int Queue::wait(std::span<struct kevent> events, const std::timespec* timeout) noexcept {
  constexpr std::time_t kLongest = 1'000'000'000;  // seconds: beyond, nanoseconds overflow
  Batch ready;
  const bool waits = timeout != nullptr && (timeout->tv_sec != 0 || timeout->tv_nsec != 0);
  std::optional<Clock::time_point> deadline;
  if (waits) {
    deadline = Clock::now() +
               std::chrono::seconds(std::min<std::time_t>(timeout->tv_sec, kLongest)) +
               Nanoseconds(timeout->tv_nsec);
  }
  int timeout_ms = timeout == nullptr ? -1 : 0;
  // What is nothing to report comes once: a hang-up of a disabled filter, and strangers.
  while (true) {
    if (deadline) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
      timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT32_MAX));
    }
    const auto room = static_cast<int>(std::min(kBatch, events.size()));
    const int count = ::epoll_wait(reads_.epoll(), ready.data(), room, timeout_ms);
    if (count <= 0) return count;
    const std::size_t used = take(events, ready, count);
    const int error = drop_strangers();
    if (used != 0) return static_cast<int>(used);
    if (error != 0) {
      errno = error;
      return -1;
    }
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
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return -1;
  const std::lock_guard lock(queues_mutex);
  const auto index = static_cast<std::size_t>(epoll.get());
  int error = ENOMEM;
  try {
    if (index >= queues.size()) queues.resize(index + 1);
    queues[index].reset();  // it is gone, or its number would not be free
    UniqueFd writes(::epoll_create1(EPOLL_CLOEXEC));
    if (!writes) return -1;
    queues[index] = std::make_unique<Queue>(epoll.get(), std::move(writes));
    error = queues[index]->connect_sets();
  } catch (const std::bad_alloc&) {
  }
  if (error == 0) return epoll.release();
  errno = error;
  return -1;
}

int kevent(int queue, const struct kevent* changes, int change_count, struct kevent* events,
           int event_count, const std::timespec* timeout) noexcept {
  Queue* const found = find_queue(queue);
  if (found == nullptr) {
    errno = EBADF;
    return -1;
  }
  if (change_count < 0 || event_count < 0) {
    errno = EINVAL;
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
