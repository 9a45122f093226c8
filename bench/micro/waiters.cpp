#include "waiters.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>
#include <fstream>

namespace muxbench {
namespace {

int ready_signal() { return SIGRTMIN + 1; }

sigset_t ready_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, ready_signal());
  return set;
}

}  // namespace

std::size_t RealTimeSignals::largest() {
  rlimit limit{};
  ::getrlimit(RLIMIT_SIGPENDING, &limit);
  return limit.rlim_cur;
}

RealTimeSignals::RealTimeSignals(const WatchedSet& set)
    : buffer_(sizeof(signalfd_siginfo) * set.watched().size()), set_(&set) {
  const sigset_t signals = ready_signals();
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC));
  for (const UniqueFd& fd : set.watched()) {
    ::fcntl(fd.get(), F_SETSIG, ready_signal());
    ::fcntl(fd.get(), F_SETOWN, ::getpid());
    ::fcntl(fd.get(), F_SETFL, O_NONBLOCK | O_ASYNC);
  }
}

RealTimeSignals::~RealTimeSignals() {
  for (const UniqueFd& fd : set_->watched()) ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
}

std::size_t RealTimeSignals::wait() {
  const auto bytes = ::read(signals_.get(), buffer_.data(), buffer_.size());
  return static_cast<std::size_t>(bytes) / sizeof(signalfd_siginfo);
}

std::size_t AioPoll::largest() {
  std::size_t limit = 0;
  std::ifstream("/proc/sys/fs/aio-max-nr") >> limit;
  return limit;
}

AioPoll::AioPoll(const WatchedSet& set)
    : requests_(set.watched().size()), events_(set.watched().size()) {
  ::syscall(SYS_io_setup, requests_.size(), &context_);
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    requests_[i] = {};
    requests_[i].aio_lio_opcode = IOCB_CMD_POLL;
    requests_[i].aio_fildes = static_cast<std::uint32_t>(set.watched()[i].get());
    requests_[i].aio_buf = POLLIN;
    requests_[i].aio_data = i;
    pending_.push_back(&requests_[i]);
  }
  rearm();
}

AioPoll::~AioPoll() { ::syscall(SYS_io_destroy, context_); }

std::size_t AioPoll::wait() {
  const long count =
      ::syscall(SYS_io_getevents, context_, 1, events_.size(), events_.data(), nullptr);
  for (long i = 0; i < count; ++i)
    pending_.push_back(&requests_[events_[static_cast<std::size_t>(i)].data]);
  return static_cast<std::size_t>(count);
}

void AioPoll::rearm() {
  for (std::size_t done = 0; done < pending_.size();) {
    const long count =
        ::syscall(SYS_io_submit, context_, pending_.size() - done, pending_.data() + done);
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  pending_.clear();
}

#ifdef MUXBENCH_HAS_LIBURING
UringPoll::UringPoll(const WatchedSet& set) {
  const auto entries = static_cast<unsigned>(std::bit_ceil(set.watched().size() + 1));
  io_uring_params parameters{
      .cq_entries = 2 * entries,
      .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE};
  if (::io_uring_queue_init_params(entries, &ring_, &parameters) != 0) {
    parameters = {.cq_entries = 2 * entries, .flags = IORING_SETUP_CQSIZE};  // before Linux 6.1
    ::io_uring_queue_init_params(entries, &ring_, &parameters);
  }
  for (const UniqueFd& fd : set.watched()) {
    io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
    ::io_uring_prep_poll_multishot(sqe, fd.get(), POLLIN);
  }
  ::io_uring_submit(&ring_);
}

UringPoll::~UringPoll() { ::io_uring_queue_exit(&ring_); }

std::size_t UringPoll::wait() {
  ::io_uring_submit_and_wait(&ring_, 1);
  const unsigned count = ::io_uring_cq_ready(&ring_);
  ::io_uring_cq_advance(&ring_, count);
  return count;
}
#endif

}  // namespace muxbench
