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

Result<> Kevent::watch(const WatchedSet& set) {
  events_.resize(set.watched().size());
  for (const UniqueFd& fd : set.watched()) {
    struct kevent change;
    EV_SET(&change, static_cast<std::uintptr_t>(fd.get()), EVFILT_READ, EV_ADD, 0, 0, nullptr);
    if (::kevent(queue_.get(), &change, 1, nullptr, 0, nullptr) != 0) {
      return make_error("kevent failed: {}", describe(last_errno()));
    }
  }
  return {};
}

std::size_t Kevent::wait(std::size_t ready) {
  const auto room = static_cast<int>(ready);
  const int count = ::kevent(queue_.get(), nullptr, 0, events_.data(), room, nullptr);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

std::size_t RealTimeSignals::largest() {
  rlimit limit{};
  ::getrlimit(RLIMIT_SIGPENDING, &limit);
  return limit.rlim_cur;
}

bool RealTimeSignals::ask(int fd) {
  return ::fcntl(fd, F_SETSIG, ready_signal()) == 0 && ::fcntl(fd, F_SETOWN, ::getpid()) == 0 &&
         ::fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC) == 0;
}

bool RealTimeSignals::stop_asking(int fd) { return ::fcntl(fd, F_SETFL, O_NONBLOCK) == 0; }

Result<> RealTimeSignals::watch(const WatchedSet& set) {
  buffer_.resize(sizeof(signalfd_siginfo) * set.watched().size());
  const sigset_t signals = ready_signals();
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC));
  set_ = &set;
  for (const UniqueFd& fd : set.watched()) {
    if (!ask(fd.get())) return make_error("fcntl failed: {}", describe(last_errno()));
  }
  return {};
}

RealTimeSignals::~RealTimeSignals() {
  if (set_ == nullptr) return;
  for (const UniqueFd& fd : set_->watched()) stop_asking(fd.get());
}

std::size_t RealTimeSignals::wait(std::size_t) {
  const auto bytes = ::read(signals_.get(), buffer_.data(), buffer_.size());
  return bytes < 0 ? 0 : static_cast<std::size_t>(bytes) / sizeof(signalfd_siginfo);
}

std::size_t SignalsOneByOne::wait(std::size_t) {
  static const sigset_t signals = ready_signals();
  return ::sigwaitinfo(&signals, nullptr) > 0 ? 1 : 0;
}

std::string AioPoll::why_not() {
  aio_context_t context = 0;
  if (::syscall(SYS_io_setup, 1, &context) != 0) {
    return fmt::format("io_setup fails with {}", describe(last_errno()));
  }
  // A pipe's writing end is ready at once, so nothing stays pending.
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return "no pipe to try it with";
  const UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  iocb request{};
  request.aio_lio_opcode = IOCB_CMD_POLL;
  request.aio_fildes = static_cast<std::uint32_t>(writing.get());
  request.aio_buf = POLLOUT;
  iocb* requests[] = {&request};
  const bool works = ::syscall(SYS_io_submit, context, 1, requests) == 1;
  const Errno error = last_errno();
  ::syscall(SYS_io_destroy, context);
  if (works) return "";
  return fmt::format("io_submit refuses IOCB_CMD_POLL with {}; it takes Linux 4.18",
                     describe(error));
}

std::size_t AioPoll::largest() {
  // Contexts are taken down in the background, so half of the limit may still be in use.
  std::size_t limit = 0;
  std::ifstream("/proc/sys/fs/aio-max-nr") >> limit;
  return limit / 2;
}

Result<> AioPoll::watch(const WatchedSet& set) {
  requests_.resize(set.watched().size());
  events_.resize(set.watched().size());
  if (::syscall(SYS_io_setup, requests_.size(), &context_) != 0) {
    return make_error("io_setup failed: {}", describe(last_errno()));
  }
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    requests_[i] = {};
    requests_[i].aio_lio_opcode = IOCB_CMD_POLL;
    requests_[i].aio_fildes = static_cast<std::uint32_t>(set.watched()[i].get());
    requests_[i].aio_buf = POLLIN;
    requests_[i].aio_data = i;
    pending_.push_back(&requests_[i]);
  }
  rearm();
  if (!pending_.empty()) return make_error("io_submit failed: {}", describe(last_errno()));
  return {};
}

AioPoll::~AioPoll() {
  if (context_ != 0) ::syscall(SYS_io_destroy, context_);
}

std::size_t AioPoll::wait(std::size_t) {
  const long count =
      ::syscall(SYS_io_getevents, context_, 1, events_.size(), events_.data(), nullptr);
  if (count < 0) return 0;
  reported_ = static_cast<std::size_t>(count);
  return reported_;
}

void AioPoll::rearm() {
  for (std::size_t i = 0; i < reported_; ++i) pending_.push_back(&requests_[events_[i].data]);
  reported_ = 0;
  std::size_t done = 0;
  while (done < pending_.size()) {
    const long count =
        ::syscall(SYS_io_submit, context_, pending_.size() - done, pending_.data() + done);
    if (count <= 0) return;
    done += static_cast<std::size_t>(count);
  }
  pending_.clear();
}

#ifdef MUXBENCH_HAS_LIBURING
namespace {

int open_ring(io_uring& ring, unsigned entries) {
  io_uring_params parameters{
      .cq_entries = 2 * entries,
      .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE};
  const int status = ::io_uring_queue_init_params(entries, &ring, &parameters);
  if (status == 0) return 0;
  parameters = {.cq_entries = 2 * entries, .flags = IORING_SETUP_CQSIZE};  // before Linux 6.1
  return ::io_uring_queue_init_params(entries, &ring, &parameters);
}

}  // namespace

std::string UringPoll::why_not() {
  io_uring ring{};
  if (const int status = open_ring(ring, 8); status != 0) {
    return fmt::format(
        "io_uring_setup fails with {}; the kernel may be too old, or io_uring disabled by the "
        "sysctl kernel.io_uring_disabled or a seccomp filter",
        describe(static_cast<Errno>(-status)));
  }
  ::io_uring_queue_exit(&ring);
  return "";
}

Result<> UringPoll::watch(const WatchedSet& set) {
  const auto entries = static_cast<unsigned>(std::bit_ceil(set.watched().size() + 1));
  if (const int status = open_ring(ring_, entries); status != 0) {
    return make_error("io_uring_setup failed: {}", describe(static_cast<Errno>(-status)));
  }
  open_ = true;
  for (const UniqueFd& fd : set.watched()) {
    io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
    ::io_uring_prep_poll_multishot(sqe, fd.get(), POLLIN);
  }
  const int submitted = ::io_uring_submit(&ring_);
  if (submitted != static_cast<int>(set.watched().size()))
    return make_error("io_uring_enter failed");
  return {};
}

UringPoll::~UringPoll() {
  if (open_) ::io_uring_queue_exit(&ring_);
}

std::size_t UringPoll::wait(std::size_t) {
  ::io_uring_submit_and_wait(&ring_, 1);
  const unsigned count = ::io_uring_cq_ready(&ring_);
  ::io_uring_cq_advance(&ring_, count);
  return count;
}
#endif

}  // namespace muxbench
