// A process for each connection: accept, fork, and let the child talk in blocking calls.
// Syscalls per request: 1 recv, 1 send; per connection a fork (clone), an exit and a wait4 for the
// child.
// Limit: processes: starting one costs about 100 times what an accept costs, and a thousand of them
// fill the scheduler.
#include "base/unique_fd.h"
#include "blocking/converse.h"
#include "blocking/pauses.h"
#include "net/sys.h"
#include "processes/children.h"
#include "runtime/accept_throttle.h"
#include "runtime/model.h"
#include "runtime/stop_signal.h"

namespace muxbench {

const ModelInfo kModel{.name = "fork_per_connection",
                       .family = "process",
                       .mechanism = "accept and fork, blocking recv and send"};

namespace {

[[noreturn]] void run_child(const ServerContext& server, int fd) {
  ::close(server.listener);
  set_io_timeout(fd, server.options.idle_timeout);
  SessionContext sessions = server.new_session_context();
  {
    Session session(sessions);
    converse(fd, session, server.options.idle_timeout);
    server.counters().requests += sessions.requests;
  }
  ::_exit(0);
}

}  // namespace

Result<> serve(ServerContext& server) {
  children::reap_as_they_end();
  AcceptThrottle throttle(server.options.max_connections);
  while (!stop_signal::requested()) {
    if (!throttle.may_accept(children::running())) {
      sleep_briefly();
      continue;
    }
    const IoResult accepted = sys::accept(server.listener);
    if (!accepted.ok()) {
      throttle.on_error(accepted.error());
      continue;
    }
    count(server.counters().accepted);
    const UniqueFd connection(accepted.fd());
    const pid_t child = children::start(connection.get());
    if (child == 0) run_child(server, connection.get());
    if (child < 0) throttle.pause();  // too many processes: this connection is shed
  }
  children::stop_all();
  return {};
}

}  // namespace muxbench
