// select: the watched descriptors are bits of a set that goes to the kernel at every wait and comes
// back with the ready ones.
// Syscalls per request: 1/k select (k requests ready at once), 1 recv, 1 send.
// Limit: FD_SETSIZE (1,024) descriptors, and a bit beyond would be someone else's memory; each wait
// costs time for every descriptor up to the highest, idle or not.
#include <sys/select.h>

#include <bit>

#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"
#include "runtime/stop_signal.h"

namespace muxbench {

// Without standard streams, the listener and what else the program was started with.
constexpr std::size_t kMostConnections = FD_SETSIZE - 16;

const ModelInfo kModel{.name = "select",
                       .family = "readiness",
                       .mechanism = "select",
                       .capabilities = {.max_connections = kMostConnections}};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
};

class Select {
 public:
  explicit Select(const ServerContext& server) : listener_(server.listener), connections_(server) {}

  Result<> run() {
    if (listener_ >= FD_SETSIZE) {
      return make_error(
          "the listener is descriptor {} and select cannot watch it; start the server with "
          "fewer open files",
          listener_);
    }
    set_nonblocking(listener_, true);
    end_ = listener_ + 1;
    while (!connections_.finished()) {
      const bool accepting = connections_.accepting();
      // select writes into what it is given, so it is given copies.
      fd_set readable = reading_;
      fd_set writable = writing_;
      if (accepting) FD_SET(listener_, &readable);
      const int ready = wait(readable, writable, accepting);
      if (ready > 0) {
        const bool listener_ready = FD_ISSET(listener_, &readable);
        FD_CLR(listener_, &readable);
        each_of(readable, writable, [this](int fd) { on_ready(fd); });
        // After the others: their sets are about descriptors as they were during the wait.
        if (listener_ready) on_listener_ready();
      }
      if (!accepting && stop_signal::requested()) connections_.on_accept_error(Errno{EINVAL});
      connections_.expire([this](Token token) { close(connections_.find(token)->fd.get()); });
    }
    return {};
  }

 private:
  using Words = std::array<unsigned long, sizeof(fd_set) / sizeof(unsigned long)>;
  static constexpr int kBitsPerWord = 8 * sizeof(unsigned long);

  int wait(fd_set& readable, fd_set& writable, bool accepting) noexcept {
    int timeout_ms = connections_.timeout_ms();
    // Nothing tells of the stop signal while the listener is not in the set, except EINTR, which
    // the signal that comes just before the wait does not cause.
    if (!accepting && (timeout_ms < 0 || timeout_ms > kLookAgainMs)) timeout_ms = kLookAgainMs;
    timeval limit{.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    return ::select(end_, &readable, &writable, nullptr, timeout_ms < 0 ? nullptr : &limit);
  }

  // Word by word: 64 descriptors that are not ready cost one comparison.
  template <typename Visit>
  void each_of(const fd_set& readable, const fd_set& writable, Visit visit) {
    const auto reads = std::bit_cast<Words>(readable);
    const auto writes = std::bit_cast<Words>(writable);
    for (std::size_t i = 0; i < reads.size() && static_cast<int>(i) * kBitsPerWord < end_; ++i) {
      for (unsigned long bits = reads[i] | writes[i]; bits != 0; bits &= bits - 1) {
        visit(static_cast<int>(i) * kBitsPerWord + std::countr_zero(bits));
      }
    }
  }

  void close(int fd) {
    FD_CLR(fd, &reading_);
    FD_CLR(fd, &writing_);
    while (end_ > listener_ + 1 && !FD_ISSET(end_ - 1, &reading_) && !FD_ISSET(end_ - 1, &writing_))
      --end_;
    connections_.close(tokens_[static_cast<std::size_t>(fd)]);
  }

  void on_listener_ready() {
    accept_burst(listener_, connections_, [this](Token token, Connection& connection) {
      const int fd = connection.fd.get();
      if (fd >= FD_SETSIZE)
        return connections_.refuse(token);  // its peer need not wait for nothing
      tokens_[static_cast<std::size_t>(fd)] = token;
      FD_SET(fd, &reading_);
      end_ = std::max(end_, fd + 1);
      if (connection.session.wants_write()) on_ready(fd);
    });
  }

  void on_ready(int fd) {
    const Token token = tokens_[static_cast<std::size_t>(fd)];
    Session& session = connections_.find(token)->session;
    connections_.touch(token);
    if (!session.wants_write() && recv_once(fd, session) == Received::failed) return close(fd);
    if (!send_pending(fd, session)) return close(fd);
    FD_CLR(fd, session.wants_write() ? &reading_ : &writing_);
    FD_SET(fd, session.wants_write() ? &writing_ : &reading_);
  }

  static constexpr int kLookAgainMs = 100;

  int listener_;
  int end_ = 0;  // one more than the highest descriptor in the sets
  fd_set reading_{};
  fd_set writing_{};
  std::array<Token, FD_SETSIZE> tokens_{};  // whose connection a descriptor is
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return Select(server).run(); }

}  // namespace muxbench
