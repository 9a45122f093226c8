#include "registrars.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace muxbench {

bool EpollControl::control(int operation, std::uint32_t events) {
  bool good = true;
  for (const UniqueFd& fd : set_.watched()) {
    epoll_event event{.events = events, .data = {.fd = fd.get()}};
    good &= ::epoll_ctl(epoll_.get(), operation, fd.get(), &event) == 0;
  }
  return good;
}

KeventChanges::KeventChanges(const WatchedSet& set, std::size_t batch)
    : changes_(set.watched().size()), batch_(batch) {
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    const auto fd = static_cast<std::uintptr_t>(set.watched()[i].get());
    EV_SET(&changes_[i], fd, EVFILT_READ, 0, 0, 0, nullptr);
  }
}

bool KeventChanges::change(unsigned short flags) {
  for (struct kevent& change : changes_) change.flags = flags;
  bool good = true;
  for (std::size_t i = 0; i < changes_.size(); i += batch_) {
    const auto count = static_cast<int>(std::min(batch_, changes_.size() - i));
    good &= ::kevent(queue_.get(), &changes_[i], count, nullptr, 0, nullptr) == 0;
  }
  return good;
}

bool SignalRequests::add() {
  bool good = true;
  for (const UniqueFd& fd : set_.watched()) good &= RealTimeSignals::ask(fd.get());
  return good;
}

bool SignalRequests::remove() {
  bool good = true;
  for (const UniqueFd& fd : set_.watched()) good &= RealTimeSignals::stop_asking(fd.get());
  return good;
}

AioSubmissions::AioSubmissions(const WatchedSet& set, std::size_t batch)
    : requests_(set.watched().size()), batch_(batch) {
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    requests_[i].aio_lio_opcode = IOCB_CMD_POLL;
    requests_[i].aio_fildes = static_cast<std::uint32_t>(set.watched()[i].get());
    requests_[i].aio_buf = POLLIN;
    places_.push_back(&requests_[i]);
  }
}

AioSubmissions::~AioSubmissions() {
  if (context_ != 0) ::syscall(SYS_io_destroy, context_);
}

bool AioSubmissions::open() { return ::syscall(SYS_io_setup, requests_.size(), &context_) == 0; }

bool AioSubmissions::add() {
  for (std::size_t done = 0; done < places_.size();) {
    const std::size_t count = std::min(batch_, places_.size() - done);
    const long taken = ::syscall(SYS_io_submit, context_, count, places_.data() + done);
    if (taken <= 0) return false;
    done += static_cast<std::size_t>(taken);
  }
  return true;
}

bool AioSubmissions::remove() {
  ::syscall(SYS_io_destroy, context_);
  context_ = 0;
  return open();
}

#ifdef MUXBENCH_HAS_LIBURING
UringPollRequests::~UringPollRequests() {
  if (open_) ::io_uring_queue_exit(&ring_);
}

bool UringPollRequests::open() {
  const auto entries = static_cast<unsigned>(2 * set_.watched().size());
  io_uring_params parameters{.cq_entries = 2 * entries, .flags = IORING_SETUP_CQSIZE};
  open_ = ::io_uring_queue_init_params(entries, &ring_, &parameters) == 0;
  return open_;
}

template <typename Prepare>
bool UringPollRequests::submit(Prepare prepare) {
  bool good = true;
  for (std::size_t i = 0; i < set_.watched().size(); ++i) {
    io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
    prepare(sqe, set_.watched()[i].get(), i + 1);  // user data 0 is that of removals and updates
    if ((i + 1) % batch_ == 0) good &= ::io_uring_submit(&ring_) == static_cast<int>(batch_);
  }
  return good;
}

bool UringPollRequests::add() {
  return submit([&](io_uring_sqe* sqe, int fd, std::uint64_t id) {
    ::io_uring_prep_poll_add(sqe, fd, events_);
    ::io_uring_sqe_set_data64(sqe, id);
  });
}

bool UringPollRequests::modify() {
  events_ ^= POLLRDHUP;
  due_ += set_.watched().size();
  return submit([&](io_uring_sqe* sqe, int, std::uint64_t id) {
    ::io_uring_prep_poll_update(sqe, id, 0, events_, IORING_POLL_UPDATE_EVENTS);
    ::io_uring_sqe_set_data64(sqe, 0);
  });
}

bool UringPollRequests::remove() {
  due_ += 2 * set_.watched().size();  // the removal's own, and that of the poll: ECANCELED
  return submit([&](io_uring_sqe* sqe, int, std::uint64_t id) {
    ::io_uring_prep_poll_remove(sqe, id);
    ::io_uring_sqe_set_data64(sqe, 0);
  });
}

bool UringPollRequests::settle() {
  bool good = true;
  while (due_ != 0) {
    io_uring_cqe* cqe;
    if (::io_uring_wait_cqe(&ring_, &cqe) != 0) return false;
    good &= cqe->res >= 0 || cqe->res == -ECANCELED;
    ::io_uring_cqe_seen(&ring_, cqe);
    --due_;
  }
  return good;
}
#endif

}  // namespace muxbench
