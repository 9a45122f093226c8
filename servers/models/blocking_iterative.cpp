// Blocking, one client at a time: the program that every textbook starts with.
// Syscalls per request: 1 recv, 1 send.
// Limit: the next client waits until this one has gone; a silent client holds everyone (unless
// --idle-timeout is set).
#include "blocking/blocking.h"
#include "net/sys.h"
#include "processes/child_work.h"

namespace muxbench {

const ModelInfo kModel{.name = "blocking_iterative",
                       .family = "blocking",
                       .mechanism = "accept, recv and send in turn",
                       .capabilities = {.concurrent = false, .child_work = true}};

namespace {

void converse(int fd, Session& session, const Options& options) {
  RequestTimer timer(options.idle_timeout);
  while (!session.done()) {
    if (session.awaits_work()) {
      if (!run_child_work()) return;  // too many processes: this client is shed
      session.on_work_done();
    } else if (session.wants_write()) {
      const IoResult sent = sys::send(fd, session.write_buffers());
      if (sent.ok()) {
        session.on_written(sent.count());
      } else if (!sent.interrupted()) {
        return;
      }
    } else if (session.wants_half_close()) {
      ::shutdown(fd, SHUT_WR);
      session.on_half_closed();
    } else {
      const IoResult got = sys::recv(fd, session.lease_read());
      if (got.ok()) {
        session.on_read(got.count());
        if (timer.is_over(session)) return;
      } else if (!got.interrupted()) {
        return;
      }
    }
  }
}

}  // namespace

Result<> serve(ServerContext& server) {
  SessionContext sessions = server.new_session_context();
  AcceptThrottle throttle(server.options.max_connections);
  while (true) {
    const IoResult accepted = sys::accept(server.listener);
    if (!accepted.ok()) {
      const AcceptAdvice advice = throttle.on_error(accepted.error());
      if (advice == AcceptAdvice::stop) return {};
      if (advice == AcceptAdvice::pause) sleep_briefly();
      continue;
    }
    count(server.counters().accepted);
    const UniqueFd connection(accepted.fd());
    set_io_timeout(connection.get(), server.options.idle_timeout);
    stop_signal::also_ends_input_of(connection.get());
    Session session(sessions);
    converse(connection.get(), session, server.options);
    server.counters().requests = sessions.requests;
    stop_signal::also_ends_input_of(-1);
  }
}

}  // namespace muxbench
