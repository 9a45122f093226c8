// Processes started in advance that do not accept: the parent accepts for all, and passes each
// connection over a socket (SCM_RIGHTS) to one that is free.
// Syscalls per request: 1 recv, 1 send; a wake-up by the scheduler, and for each connection a message
// to the process that gets it and a write when that is free again.
// Limit: as many clients at once as there are processes; a silent client holds one (unless
// --idle-timeout is set). Every connection goes through the parent.
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"
#include "blocking/converse.h"
#include "net/socket.h"
#include "net/sys.h"
#include "processes/worker_group.h"
#include "runtime/accept_throttle.h"
#include "runtime/model.h"
#include "runtime/stop_signal.h"

namespace muxbench {

// 256, as prefork has it.
const ModelInfo kModel{
    .name = "prefork_fd_passing",
    .family = "process",
    .mechanism = "accept in one process, recv and send in others, SCM_RIGHTS between them",
    .capabilities = {.workers = true, .one_client_per_worker = true, .default_workers = 256},
    .says_when_ready = true};

namespace {

// A pair of sockets; all workers share one end, which keeps each connection for the one of them that
// has waited longest. An eventfd says how many workers are free again.
struct Channel {
  UniqueFd parents_end;
  UniqueFd workers_end;
  UniqueFd freed;
};

Result<Channel> open_channel() {
  int ends[2] = {-1, -1};
  const int paired = ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
  Channel channel{UniqueFd(ends[0]), UniqueFd(ends[1]),
                  UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))};
  if (paired == 0 && channel.freed) return channel;
  return make_error("cannot create a socket pair and an eventfd: {}", describe(last_errno()));
}

// One byte, with room for a descriptor beside it.
struct Message {
  std::byte byte{};
  iovec data{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};

  Message() {
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
  Message(const Message&) = delete;
};

bool send_descriptor(int channel, int fd) noexcept {
  Message message;
  cmsghdr* const rights = CMSG_FIRSTHDR(&message.header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  while (::sendmsg(channel, &message.header, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

// False if another worker was quicker.
bool receive_descriptor(int channel, UniqueFd& fd) noexcept {
  Message message;
  if (::recvmsg(channel, &message.header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) <= 0) return false;
  const cmsghdr* const rights = CMSG_FIRSTHDR(&message.header);
  if (rights == nullptr || rights->cmsg_type != SCM_RIGHTS) return true;
  int number = -1;
  std::memcpy(&number, CMSG_DATA(rights), sizeof number);
  fd.reset(number);
  return true;
}

class Acceptor {
 public:
  Acceptor(const ServerContext& server, const Channel& channel)
      : listener_(server.listener), channel_(channel), throttle_(server.options.workers) {}

  void wait_and_pass_on(const sigset_t& mask) {
    const bool accepting = throttle_.may_accept(busy_);
    const int pause_ms = throttle_.pause_ms();
    const timespec pause{.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1'000'000L};
    std::array<pollfd, 2> watched{
        {{.fd = channel_.freed.get(), .events = POLLIN, .revents = 0},
         {.fd = accepting ? listener_ : -1, .events = POLLIN, .revents = 0}}};
    if (::ppoll(watched.data(), watched.size(), pause_ms < 0 ? nullptr : &pause, &mask) <= 0)
      return;
    eventfd_t freed = 0;
    if (watched[0].revents != 0 && ::eventfd_read(channel_.freed.get(), &freed) == 0)
      busy_ -= freed;
    if (watched[1].revents != 0) pass_on_one();
  }

 private:
  void pass_on_one() {
    const IoResult accepted = sys::accept(listener_);
    if (!accepted.ok()) return void(throttle_.on_error(accepted.error()));
    const UniqueFd connection(accepted.fd());  // the message has a reference of its own
    if (send_descriptor(channel_.parents_end.get(), connection.get())) ++busy_;
  }

  const int listener_;
  const Channel& channel_;
  AcceptThrottle throttle_;
  std::size_t busy_ = 0;  // workers that have a connection, or will have that of a message
};

void serve_one(int connection, SessionContext& sessions, const ServerContext& server) {
  count(server.counters().accepted);
  set_io_timeout(connection, server.options.idle_timeout);
  stop_signal::also_ends_input_of(connection);
  {
    Session session(sessions);
    converse(connection, session, server.options.idle_timeout);
  }
  server.counters().requests = sessions.requests;
  stop_signal::also_ends_input_of(-1);
}

Result<> run(const ServerContext& server, Channel& channel) {
  channel.parents_end.reset();
  const int source = channel.workers_end.get();
  SessionContext sessions = server.new_session_context();
  // The kernel closes a descriptor that it finds no place for. So one is kept, under whose number the
  // connection comes.
  UniqueFd place(::fcntl(source, F_DUPFD_CLOEXEC, 0));
  server.ready();
  while (true) {
    // The stop signal ends the channel; what was passed on before is still served.
    stop_signal::also_ends_input_of(source);
    std::byte ignored;
    const IoResult waiting = sys::recv(source, {&ignored, 1}, MSG_PEEK);
    if (waiting.ok() && waiting.end_of_file()) return {};
    if (!waiting.ok()) continue;
    place.reset();
    UniqueFd connection;
    const bool was_ours = receive_descriptor(source, connection);
    if (connection) {
      serve_one(connection.get(), sessions, server);
      place.reset(::dup3(source, connection.release(), O_CLOEXEC));  // closes the connection
    } else {
      place.reset(::fcntl(source, F_DUPFD_CLOEXEC, 0));
    }
    while (was_ours && ::eventfd_write(channel.freed.get(), 1) != 0) {  // a signal came first
    }
  }
}

}  // namespace

Result<> serve(ServerContext& server) {
  // A worker is a connection, so --max-connections limits the workers.
  Options options = server.options;
  options.workers =
      static_cast<unsigned>(std::min<std::size_t>(options.workers, options.max_connections));
  const ServerContext group = server.for_worker(0, options);
  Result<Channel> channel = open_channel();
  if (!channel) return channel.error();
  set_nonblocking(server.listener, true);
  Acceptor acceptor(group, *channel);
  return run_worker_processes(
      group, [&](ServerContext& worker) { return run(worker, *channel); },
      [&](const sigset_t& mask) { acceptor.wait_and_pass_on(mask); });
}

}  // namespace muxbench
