// Boost.Fiber over epoll, level-triggered: a connection is a fiber, a function in blocking style with
// a stack of its own. Where it would block another runs, and where none can, the scheduler waits.
// Syscalls per request: 1/k epoll_wait (k connections ready at once), 1 recv, 1 send; no epoll_ctl
// unless a write gets stuck.
// Limit: a stack per connection; a call that really blocks holds up all of them.
#include <sys/epoll.h>

#include <boost/context/fixedsize_stack.hpp>
#include <boost/fiber/algo/algorithm.hpp>
#include <boost/fiber/context.hpp>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/fiber/scheduler.hpp>
#include <boost/version.hpp>

#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"

namespace muxbench {

namespace fibers = boost::fibers;

namespace {

Probe probe() {
  return {.features = {{"library_version", fmt::format("Boost {}.{}", BOOST_VERSION / 100000,
                                                       BOOST_VERSION / 100 % 1000)},
                       {"backend", "epoll, our own"}}};
}

}  // namespace

const ModelInfo kModel{.name = "fiber_boost",
                       .family = "library",
                       .mechanism = "Boost.Fiber, scheduled by epoll_wait, one thread",
                       .probe = probe};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  std::uint32_t events = 0;            // what epoll watches for
  fibers::context* waiting = nullptr;  // its fiber, while that waits for them
};

constexpr Token kListener = ~Token{0};

// First come, first served. When none is left that can run, `wait` makes some.
class Scheduler : public fibers::algo::algorithm {
 public:
  explicit Scheduler(std::function<void()> wait) : wait_(std::move(wait)) {}

  void awakened(fibers::context* fiber) noexcept override { fiber->ready_link(ready_); }
  fibers::context* pick_next() noexcept override {
    if (ready_.empty()) return nullptr;
    fibers::context* const next = &ready_.front();
    ready_.pop_front();
    return next;
  }
  bool has_ready_fibers() const noexcept override { return !ready_.empty(); }
  void suspend_until(const std::chrono::steady_clock::time_point&) noexcept override { wait_(); }
  void notify() noexcept override {}  // by other threads, of which there are none

 private:
  std::function<void()> wait_;
  fibers::scheduler::ready_queue_type ready_;
};

class FiberBoost {
 public:
  explicit FiberBoost(const ServerContext& server)
      : listener_(server.listener), connections_(server) {}

  // In the main fiber, which accepts.
  Result<> run() {
    if (!epoll_) return make_error("cannot create an epoll set: {}", describe(last_errno()));
    set_nonblocking(listener_, true);
    fibers::use_scheduling_algorithm<Scheduler>([this] { wait(); });
    while (!connections_.finished()) {
      suspend(acceptor_);
      accept_burst(listener_, connections_, [this](Token token, Connection&) {
        fibers::fiber(std::allocator_arg, boost::context::fixedsize_stack(kStackBytes),
                      [this, token] { converse(token); })
            .detach();
      });
    }
    return {};
  }

 private:
  static constexpr std::size_t kStackBytes = 64 * 1024;

  // The calling fiber, until it is woken.
  static void suspend(fibers::context*& waiting) noexcept {
    waiting = fibers::context::active();
    waiting->suspend();
  }
  static void wake(fibers::context*& waiting) noexcept {
    fibers::context* const fiber = std::exchange(waiting, nullptr);
    if (fiber != nullptr) fibers::context::active()->schedule(fiber);
  }

  // By the scheduler, when no fiber can run.
  void wait() {
    const auto wanted = connections_.accepting() ? EPOLLIN : EPOLLONESHOT;  // or hang-up, once
    watch(listener_, kListener, listener_events_, wanted);
    std::array<epoll_event, 512> events;
    const int ready =
        ::epoll_wait(epoll_.get(), events.data(), events.size(), connections_.timeout_ms());
    for (int i = 0; i < ready; ++i) on_event(events[static_cast<std::size_t>(i)].data.u64);
    connections_.expire([this](Token token) {
      ::shutdown(connections_.find(token)->fd.get(), SHUT_RDWR);  // its fiber ends with that
      connections_.restart_silence(token);
    });
  }

  bool watch(int fd, Token token, std::uint32_t& events, std::uint32_t wanted) noexcept {
    if (wanted == events) return true;
    const int operation = events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    events = wanted;
    epoll_event event{.events = wanted, .data = {.u64 = token}};
    return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
  }

  void on_event(Token token) noexcept {
    if (token == kListener) {
      wake(acceptor_);
    } else if (Connection* connection = connections_.find(token)) {
      wake(connection->waiting);
    }
  }

  // A fiber.
  void converse(Token token) {
    Connection& connection = *connections_.find(token);
    Session& session = connection.session;
    const int fd = connection.fd.get();
    while (send_pending(fd, session)) {
      const std::uint32_t wanted = session.wants_write() ? EPOLLOUT : EPOLLIN;
      if (!watch(fd, token, connection.events, wanted)) break;
      suspend(connection.waiting);
      connections_.touch(token);
      if (wanted == EPOLLIN && recv_once(fd, session) == Received::failed) break;
    }
    connections_.close(token);
    if (connections_.finished()) wake(acceptor_);
  }

  int listener_;
  std::uint32_t listener_events_ = 0;
  fibers::context* acceptor_ = nullptr;  // the main fiber, while it waits
  UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return FiberBoost(server).run(); }

}  // namespace muxbench
