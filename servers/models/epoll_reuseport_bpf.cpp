// epoll in several threads that share nothing: each has a listener of its own on the same address
// (SO_REUSEPORT) and an epoll set; a BPF program picks the listener, by the client's port.
// Syscalls per request: 1/k epoll_wait (k requests ready at once), 1 recv, 1 send; no epoll_ctl
// unless a write gets stuck.
// Limit: a classic BPF program sees the packet only, and has no memory: it cannot know who is busy.
// AF_UNIX has no SO_REUSEPORT: there the threads share the one listener.
#include <linux/filter.h>
#include <sched.h>
#include <sys/epoll.h>

#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"
#include "processes/worker_group.h"
#include "runtime/stop_signal.h"

namespace muxbench {
namespace {

// Deals connections out by the port that the client connects from. Linux gives the connections of a
// client ports that follow each other, in steps of two: so they go to the listeners in turn, where a
// hash would be even only on average. In network byte order behind the IP header:
bool attach_program(int listener, unsigned listeners) noexcept {
  constexpr auto kHeader = static_cast<std::uint32_t>(SKF_NET_OFF);
  std::array<sock_filter, 10> program{{
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kHeader),   // version and length, four bits each
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),        // the version
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 0, 2),  // not 6: on to version 4
      BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 40),       // x = length of an IPv6 header
      BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),           // over the next
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, kHeader),  // x = length of this IPv4 header
      BPF_STMT(BPF_LD | BPF_H | BPF_IND, kHeader),   // the port, at x
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 1),        // its steps of two
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, listeners),
      BPF_STMT(BPF_RET | BPF_A, 0),  // the number of a listener, from 0
  }};
  const sock_fprog attached{.len = static_cast<unsigned short>(program.size()),
                            .filter = program.data()};
  return ::setsockopt(listener, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &attached, sizeof attached) ==
         0;
}

Probe probe() {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (!attach_program(socket.get(), 1)) {
    return {.unavailable_because =
                fmt::format("the kernel refuses a program that picks the listener "
                            "(SO_ATTACH_REUSEPORT_CBPF, Linux 4.5): {}",
                            describe(last_errno()))};
  }
  return {.features = {{"tcp_listeners", "one for each thread, picked by a classic BPF program"},
                       {"unix_listeners", "one, EPOLLEXCLUSIVE: AF_UNIX has no SO_REUSEPORT"}}};
}

}  // namespace

const ModelInfo kModel{.name = "epoll_reuseport_bpf",
                       .family = "readiness",
                       .mechanism =
                           "epoll_wait in several threads, SO_REUSEPORT listeners that a "
                           "BPF program picks from",
                       .capabilities = {.workers = true},
                       .probe = probe,
                       .says_when_ready = true};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  std::uint32_t events = 0;  // what epoll watches for
};

constexpr Token kListener = ~Token{0};

class EpollReuseportBpf {
 public:
  EpollReuseportBpf(const ServerContext& server, int listener, bool shares_listener)
      : server_(server),
        listener_(listener),
        shares_listener_(shares_listener),
        connections_(server) {}

  Result<> run() {
    if (!epoll_) return make_error("cannot create an epoll set: {}", describe(last_errno()));
    watch_listener();
    server_.ready();
    std::array<epoll_event, 512> events;
    while (!connections_.finished()) {
      const int ready =
          ::epoll_wait(epoll_.get(), events.data(), events.size(), connections_.timeout_ms());
      for (int i = 0; i < ready; ++i) on_event(events[static_cast<std::size_t>(i)].data.u64);
      connections_.expire([this](Token token) { connections_.close(token); });
      watch_listener();
    }
    return {};
  }

 private:
  // An EPOLLEXCLUSIVE entry cannot be modified; and where the listener is shared, adding it anew
  // and yielding let the other threads have their turn.
  void watch_listener() noexcept {
    const bool accepting = connections_.accepting();
    const std::uint32_t exclusive = shares_listener_ ? EPOLLEXCLUSIVE : 0U;
    const std::uint32_t wanted = accepting ? EPOLLIN | exclusive : EPOLLONESHOT;
    const bool goes_to_the_end = std::exchange(had_its_turn_, false) && accepting;
    if (wanted == listener_events_ && !goes_to_the_end) return;
    watch(listener_, kListener, listener_events_, 0);
    if (shares_listener_) ::sched_yield();
    watch(listener_, kListener, listener_events_, wanted);
  }

  bool watch(int fd, Token token, std::uint32_t& events, std::uint32_t wanted) noexcept {
    if (wanted == events) return true;
    const int operation = events == 0 ? EPOLL_CTL_ADD : wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    events = wanted;
    epoll_event event{.events = wanted, .data = {.u64 = token}};
    return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
  }

  void on_event(Token token) {
    if (token == kListener) {
      had_its_turn_ = shares_listener_;
      accept_burst(
          listener_, connections_, [this](Token t, Connection& c) { proceed(t, c); },
          shares_listener_ ? 1 : kAcceptsPerRound);
    } else if (Connection* connection = connections_.find(token)) {  // else: closed since the wait
      on_ready(token, *connection);
    }
  }

  void on_ready(Token token, Connection& connection) {
    Session& session = connection.session;
    connections_.touch(token);
    if (session.wants_write() || recv_once(connection.fd.get(), session) != Received::failed)
      return proceed(token, connection);
    connections_.close(token);
  }

  void proceed(Token token, Connection& connection) {
    Session& session = connection.session;
    const int fd = connection.fd.get();
    if (!send_pending(fd, session)) return connections_.close(token);
    const std::uint32_t wanted = session.wants_write() ? EPOLLOUT : EPOLLIN;
    if (!watch(fd, token, connection.events, wanted)) connections_.close(token);
  }

  const ServerContext& server_;
  const int listener_;
  const bool shares_listener_;
  bool had_its_turn_ = false;
  std::uint32_t listener_events_ = 0;
  UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  ConnectionSet<Connection> connections_;
};

// One for each thread after the first, which has the server's own. That one was bound alone, so
// that a port in use was an error, and lets others in only now. (Linux asks for SO_REUSEPORT when
// the second socket is bound.)
Result<std::vector<UniqueFd>> listeners_beside(const ServerContext& server) {
  std::vector<UniqueFd> listeners;
  const Result<Address> address = Address::of_socket(server.listener);
  if (!address) return address.error();
  if (address->is_unix() || server.options.workers == 1) return listeners;
  const int on = 1;
  ::setsockopt(server.listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  while (listeners.size() + 1 < server.options.workers) {
    Result<UniqueFd> listener = listen_on(
        *address, {.backlog = server.options.backlog, .nonblocking = true, .reuse_port = true});
    if (!listener) return listener.error();
    set_nodelay(listener->get());
    stop_signal::also_shuts_down(listener->get());
    listeners.push_back(std::move(*listener));
  }
  if (!attach_program(server.listener, server.options.workers)) {
    return make_error("cannot attach a program to the listeners: {}", describe(last_errno()));
  }
  return listeners;
}

}  // namespace

Result<> serve(ServerContext& server) {
  set_nonblocking(server.listener, true);
  const Result<std::vector<UniqueFd>> listeners = listeners_beside(server);
  if (!listeners) return listeners.error();
  return run_worker_threads(server, [&](ServerContext& thread) {
    const bool has_own = thread.worker > 0 && !listeners->empty();
    const int listener = has_own ? (*listeners)[thread.worker - 1].get() : server.listener;
    const bool shares = thread.options.workers > 1 && listeners->empty();
    return EpollReuseportBpf(thread, listener, shares).run();
  });
}

}  // namespace muxbench
