// Linux AIO as a readiness notifier: IOCB_CMD_POLL requests are submitted in batches, and their
// completions read from memory that the kernel shares.
// Syscalls per request: 1/k io_submit, 1/k io_getevents (k connections ready at once), 1 recv, 1
// send.
// Limit: a poll is one-shot and submitted again for each request; the number of requests is a share
// of fs.aio-max-nr.
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/syscall.h>

#include <fstream>

#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"
#include "runtime/stop_signal.h"

namespace muxbench {
namespace {

// A context with its submissions. glibc has no wrappers for these calls, and libaio none for poll.
class Aio {
 public:
  Aio() {
    for (capacity_ = fair_share(); capacity_ >= 64; capacity_ /= 2) {
      if (::syscall(SYS_io_setup, capacity_, &context_) == 0) return;
      error_ = last_errno();
    }
    capacity_ = 0;
  }
  ~Aio() {
    if (capacity_ != 0) ::syscall(SYS_io_destroy, context_);
  }
  Aio(const Aio&) = delete;

  unsigned capacity() const noexcept { return capacity_; }
  Errno error() const noexcept { return error_; }

  // Prepares a poll for `events`; submit() hands it to the kernel.
  void poll(int fd, short events, std::uint64_t data) {
    prepared_.push_back({.aio_data = data,
                         .aio_lio_opcode = IOCB_CMD_POLL,
                         .aio_fildes = static_cast<unsigned>(fd),
                         .aio_buf = static_cast<std::uint64_t>(events)});
  }

  // False: the kernel refuses the first of what is left (for a probe: it does not know polls).
  bool submit() {
    pointers_.clear();
    for (iocb& request : prepared_) pointers_.push_back(&request);
    std::size_t done = 0;
    while (done < pointers_.size()) {
      const long taken =
          ::syscall(SYS_io_submit, context_, pointers_.size() - done, &pointers_[done]);
      if (taken <= 0) break;
      done += static_cast<std::size_t>(taken);
    }
    const bool all = done == prepared_.size();
    prepared_.erase(prepared_.begin(), prepared_.begin() + static_cast<std::ptrdiff_t>(done));
    return all;
  }

  // What the kernel maps at the context's address: fs/aio.c, struct aio_ring.
  struct Ring {
    unsigned id, size, head, tail, magic, compatible, incompatible, header_bytes;
    io_event events[];
  };

  // Is it laid out as we read it? AIO_RING_MAGIC, and no feature that would change the meaning.
  bool knows_ring() const noexcept {
    return ring().magic == 0xa10a10a1 && ring().incompatible == 0;
  }

  bool has_events() const noexcept {
    return std::atomic_ref(ring().tail).load(std::memory_order_acquire) != ring().head;
  }

  // Sleeps until there is an event. min_nr 1 and room for none would be an error, so it takes one.
  void wait(int timeout_ms, std::vector<io_event>& events) {
    timespec limit{.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1'000'000L};
    events.resize(kBatch);
    const long got = ::syscall(SYS_io_getevents, context_, 1, kBatch, events.data(),
                               timeout_ms < 0 ? nullptr : &limit);
    events.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  }

  // The same without a system call, when has_events().
  void take(std::vector<io_event>& events) {
    const unsigned tail = std::atomic_ref(ring().tail).load(std::memory_order_acquire);
    unsigned head = ring().head;
    events.clear();
    for (; head != tail && events.size() < kBatch; head = (head + 1) % ring().size) {
      events.push_back(ring().events[head]);
    }
    std::atomic_ref(ring().head).store(head, std::memory_order_release);
  }

 private:
  static constexpr std::size_t kBatch = 512;

  // All contexts of the machine share fs.aio-max-nr (65,536 by default): a quarter of what is left
  // of it, so that there is something for others.
  static unsigned fair_share() {
    unsigned most = 65536;
    unsigned taken = 0;
    std::ifstream("/proc/sys/fs/aio-max-nr") >> most;
    std::ifstream("/proc/sys/fs/aio-nr") >> taken;
    return std::clamp((most - std::min(most, taken)) / 4, 64U, 16384U);
  }

  Ring& ring() const noexcept { return *reinterpret_cast<Ring*>(context_); }

  aio_context_t context_ = 0;
  unsigned capacity_;
  Errno error_{};
  std::vector<iocb> prepared_;
  std::vector<iocb*> pointers_;
};

Probe probe() {
  Aio aio;
  if (aio.capacity() == 0) {
    return {.unavailable_because =
                fmt::format("io_setup fails with {}; the sysctl fs.aio-max-nr may be used up",
                            describe(aio.error()))};
  }
  aio.poll(stop_signal::descriptor(), POLLIN, 0);
  if (!aio.submit()) return {.unavailable_because = "the kernel has no IOCB_CMD_POLL (Linux 4.18)"};
  if (!aio.knows_ring()) {
    return {
        .unavailable_because =
            "the completions that the kernel shares are laid out in a way unknown to this model"};
  }
  return {.features = {{"requests", std::int64_t{aio.capacity()}}, {"ring_in_user_space", true}}};
}

}  // namespace

const ModelInfo kModel{.name = "aio_poll",
                       .family = "completion",
                       .mechanism = "Linux AIO: io_submit of IOCB_CMD_POLL, io_getevents",
                       .probe = probe};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
};

constexpr Token kListener = ~Token{0};
constexpr Token kStop = ~Token{1};

class AioPoll {
 public:
  explicit AioPoll(const ServerContext& server)
      : listener_(server.listener), connections_(server, aio_.capacity() - 2) {}

  Result<> run() {
    set_nonblocking(listener_, true);
    aio_.poll(stop_signal::descriptor(), POLLIN, kStop);
    std::vector<io_event> events;
    while (!connections_.finished()) {
      if (!listening_ && connections_.accepting()) {
        listening_ = true;
        aio_.poll(listener_, POLLIN, kListener);
      }
      // What the kernel would not take now is tried again soon.
      constexpr int kAgainMs = 10;
      const bool submitted = aio_.submit();
      if (aio_.has_events()) {
        aio_.take(events);
      } else {
        aio_.wait(submitted ? connections_.timeout_ms() : kAgainMs, events);
      }
      for (const io_event& event : events) on_event(event.data);
      // A poll cannot be taken back by closing; shutting the socket down completes it.
      connections_.expire(
          [this](Token token) { ::shutdown(connections_.find(token)->fd.get(), SHUT_RDWR); });
    }
    return {};
  }

 private:
  void on_event(Token token) {
    if (token == kStop) {
      connections_.on_accept_error(Errno{EINVAL});
    } else if (token == kListener) {
      listening_ = false;
      if (!connections_.stopping()) on_listener_ready();
    } else {
      on_ready(token, *connections_.find(token));
    }
  }

  void on_listener_ready() {
    accept_burst(listener_, connections_, [this](Token token, Connection& connection) {
      if (connection.session.wants_write()) {
        on_ready(token, connection);
      } else {
        aio_.poll(connection.fd.get(), POLLIN, token);
      }
    });
  }

  void on_ready(Token token, Connection& connection) {
    Session& session = connection.session;
    connections_.touch(token);
    const int fd = connection.fd.get();
    if (!session.wants_write() && recv_once(fd, session) == Received::failed)
      return connections_.close(token);
    if (!send_pending(fd, session)) return connections_.close(token);
    aio_.poll(connection.fd.get(), session.wants_write() ? POLLOUT : POLLIN, token);
  }

  int listener_;
  bool listening_ = false;
  Aio aio_;
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return AioPoll(server).run(); }

}  // namespace muxbench
