// An io_uring as the models use it: set up with the best flags that this kernel takes, and able to
// tell which those were. What is submitted and how completions are handled is each model's own.
#pragma once

#include <liburing.h>
#include <sys/epoll.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "net/io_result.h"
#include "runtime/model.h"

namespace muxbench::uring {

// Constants of linux/io_uring.h that are newer than the headers of liburing 2.3.
constexpr unsigned kRecvSendBundle = 1U << 4;       // IORING_RECVSEND_BUNDLE, Linux 6.10
constexpr unsigned kFeatRecvSendBundle = 1U << 14;  // IORING_FEAT_RECVSEND_BUNDLE, Linux 6.10
constexpr unsigned kFeatMinTimeout = 1U << 15;      // IORING_FEAT_MIN_TIMEOUT, Linux 6.12
constexpr unsigned kPbufRingInc = 2;                // IOU_PBUF_RING_INC, Linux 6.12
constexpr unsigned kCqeBufMore = 1U << 4;           // IORING_CQE_F_BUF_MORE, Linux 6.12
constexpr int kOpEpollWait = 59;                    // IORING_OP_EPOLL_WAIT, Linux 6.15

// io_uring_prep_epoll_wait(3), which is newer too: completes with a number of events, as epoll_wait
// returns it. The events are written when it completes.
inline void prep_epoll_wait(io_uring_sqe* sqe, int epoll, std::span<epoll_event> events) noexcept {
  ::io_uring_prep_rw(kOpEpollWait, sqe, epoll, events.data(), static_cast<unsigned>(events.size()),
                     0);
}

class Ring {
 public:
  static constexpr unsigned kEntries = 1024;
  // A request may complete twice, and multishot operations complete unasked: room for bursts. What
  // does not fit is kept by the kernel and comes with the next wait.
  static constexpr unsigned kCompletions = 8 * kEntries;

  // Completions are worked off by our own thread, when it asks for them (Linux 6.1).
  static constexpr unsigned kOneThread = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;

  struct Flags {
    unsigned required = 0;
    unsigned preferred = 0;  // dropped on a kernel that refuses them
    unsigned sq_thread_cpu = 0;
    std::chrono::milliseconds sq_thread_idle{};
  };

  explicit Ring(const Flags& flags) {
    status_ = set_up(flags, flags.required | flags.preferred);
    if (status_ == -EINVAL) status_ = set_up(flags, flags.required);
    // The ring's own descriptor is then not looked up at every system call.
    if (status_ == 0) fd_registered_ = ::io_uring_register_ring_fd(&ring_) == 1;
  }
  ~Ring() {
    if (status_ == 0) ::io_uring_queue_exit(&ring_);
  }
  Ring(const Ring&) = delete;

  bool ok() const noexcept { return status_ == 0; }
  Errno error() const noexcept { return static_cast<Errno>(-status_); }
  bool has(unsigned setup_flag) const noexcept { return (ring_.flags & setup_flag) != 0; }
  bool fd_registered() const noexcept { return fd_registered_; }
  io_uring* get() noexcept { return &ring_; }

  // Room for entries that must reach the kernel together, as linked ones must. When there is too
  // little, what is in the queue goes to the kernel first; one that is out of memory (EAGAIN) is
  // asked again a thousand times a second.
  void make_room(unsigned count) noexcept {
    constexpr timespec kMoment{.tv_sec = 0, .tv_nsec = 1'000'000};
    while (::io_uring_sq_space_left(&ring_) < count) {
      if (::io_uring_submit(&ring_) < 0) ::nanosleep(&kMoment, nullptr);
      if (has(IORING_SETUP_SQPOLL)) ::io_uring_sqring_wait(&ring_);
    }
  }
  // An entry to fill in.
  io_uring_sqe* next_sqe() noexcept {
    make_room(1);
    return ::io_uring_get_sqe(&ring_);
  }

  // Submits what was prepared and waits for a completion in one system call; timeout_ms -1: for
  // ever.
  void submit_and_wait(int timeout_ms) noexcept {
    if (timeout_ms < 0) {
      ::io_uring_submit_and_wait(&ring_, 1);
      return;
    }
    __kernel_timespec limit{.tv_sec = timeout_ms / 1000,
                            .tv_nsec = timeout_ms % 1000 * 1'000'000LL};
    io_uring_cqe* first;
    ::io_uring_submit_and_wait_timeout(&ring_, &first, 1, &limit, nullptr);
  }

  // With SQPOLL: does the kernel's thread sleep, so that it takes a system call to show it more?
  bool thread_sleeps() const noexcept {
    return (IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_NEED_WAKEUP) != 0;
  }

  // handle(const io_uring_cqe&) for each completion that has arrived; reads shared memory, no
  // system call. Returns their number.
  template <typename Handle>
  unsigned each_completion(Handle handle) {
    unsigned head;
    unsigned seen = 0;
    io_uring_cqe* cqe;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      ++seen;
      handle(*cqe);
    }
    ::io_uring_cq_advance(&ring_, seen);
    return seen;
  }

 private:
  int set_up(const Flags& flags, unsigned setup) noexcept {
    io_uring_params parameters{
        .cq_entries = kCompletions,
        .flags = setup | IORING_SETUP_CQSIZE,
        .sq_thread_cpu = flags.sq_thread_cpu,
        .sq_thread_idle = static_cast<unsigned>(flags.sq_thread_idle.count())};
    return ::io_uring_queue_init_params(kEntries, &ring_, &parameters);
  }

  io_uring ring_{};
  int status_;
  bool fd_registered_ = false;
};

// What --describe says of a ring, before the model adds its own.
inline Probe describe_ring(const Ring& ring) {
  if (!ring.ok()) {
    return {.unavailable_because =
                fmt::format("io_uring_setup fails with {}; the kernel may be too old, or io_uring "
                            "disabled by the sysctl kernel.io_uring_disabled or a seccomp filter",
                            describe(ring.error()))};
  }
  return {.features = {{"library_version", "liburing " LIBURING_VERSION},
                       {"single_issuer", ring.has(IORING_SETUP_SINGLE_ISSUER)},
                       {"defer_taskrun", ring.has(IORING_SETUP_DEFER_TASKRUN)},
                       {"registered_ring_fd", ring.fd_registered()}}};
}

inline Error cannot_set_up(const Ring& ring) {
  return make_error("cannot set up io_uring: {}; see --describe", describe(ring.error()));
}

// A ring of buffers that belong to the kernel until it fills them: a receive takes one only when
// bytes have arrived, so that waiting connections hold none.
class ProvidedBuffers {
 public:
  static constexpr std::uint16_t kGroup = 0;

  // `count` is a power of two. Where the kernel can (Linux 6.12), a buffer is filled by one receive
  // after another instead of by one only, so that small messages stay in few cache lines.
  ProvidedBuffers(Ring& ring, unsigned count, std::size_t bytes_each)
      : ring_(ring),
        bytes_each_(bytes_each),
        mask_(::io_uring_buf_ring_mask(count)),
        filled_(count),
        memory_(std::make_unique<std::byte[]>(count * bytes_each)),
        entries_(static_cast<io_uring_buf_ring*>(
            std::aligned_alloc(kPage, std::max(kPage, count * sizeof(io_uring_buf))))) {
    incremental_ = enlist(count, kPbufRingInc);
    registered_ = incremental_ || enlist(count, 0);
    if (!registered_) return;
    ::io_uring_buf_ring_init(entries_.get());
    for (unsigned id = 0; id < count; ++id) recycle(static_cast<std::uint16_t>(id));
  }
  ~ProvidedBuffers() {
    if (registered_) ::io_uring_unregister_buf_ring(ring_.get(), kGroup);
  }
  ProvidedBuffers(const ProvidedBuffers&) = delete;

  bool ok() const noexcept { return registered_; }
  bool incremental() const noexcept { return incremental_; }
  // Can one receive fill several (Linux 6.10)?
  bool bundles() const noexcept { return (ring_.get()->features & kFeatRecvSendBundle) != 0; }

  // take(bytes) is shown what a receive has brought, buffer after buffer; afterwards the kernel has
  // those again. A bundle goes through buffers in the order in which the kernel got them, which is
  // always that of their numbers, as they come back in the order in which they were filled.
  template <typename Take>
  void with_received(const io_uring_cqe& cqe, Take take) {
    auto id = static_cast<std::uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
    for (auto left = static_cast<std::size_t>(cqe.res);;) {
      const std::size_t count = std::min(left, bytes_each_ - filled_[id]);
      take(std::span<const std::byte>(buffer(id) + filled_[id], count));
      filled_[id] += count;
      left -= count;
      if (left == 0) break;
      recycle(id);
      id = static_cast<std::uint16_t>((id + 1) & mask_);
    }
    if ((cqe.flags & kCqeBufMore) == 0) recycle(id);
  }

 private:
  static constexpr std::size_t kPage = 4096;
  struct Free {
    void operator()(void* memory) const noexcept { std::free(memory); }
  };

  std::byte* buffer(std::uint16_t id) noexcept { return memory_.get() + id * bytes_each_; }

  bool enlist(unsigned count, unsigned flags) noexcept {
    io_uring_buf_reg request{.ring_addr = reinterpret_cast<std::uintptr_t>(entries_.get()),
                             .ring_entries = count,
                             .bgid = kGroup,
                             .pad = static_cast<std::uint16_t>(flags)};
    return ::io_uring_register_buf_ring(ring_.get(), &request, 0) == 0;
  }

  void recycle(std::uint16_t id) noexcept {
    filled_[id] = 0;
    ::io_uring_buf_ring_add(entries_.get(), buffer(id), static_cast<unsigned>(bytes_each_), id,
                            mask_, 0);
    ::io_uring_buf_ring_advance(entries_.get(), 1);
  }

  Ring& ring_;
  std::size_t bytes_each_;
  int mask_;
  std::vector<std::size_t> filled_;  // bytes of each buffer that earlier receives have used
  std::unique_ptr<std::byte[]> memory_;
  std::unique_ptr<io_uring_buf_ring, Free> entries_;
  bool incremental_ = false;
  bool registered_ = false;
};

}  // namespace muxbench::uring
