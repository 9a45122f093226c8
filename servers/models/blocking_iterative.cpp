// Blocking, one client at a time: the program that every textbook starts with.
// Syscalls per request: 1 recv, 1 send.
// Limit: the next client waits until this one has gone; a silent client holds everyone (unless
// --idle-timeout is set).
#include "base/unique_fd.h"
#include "blocking/converse.h"
#include "blocking/pauses.h"
#include "net/sys.h"
#include "runtime/accept_throttle.h"
#include "runtime/model.h"
#include "runtime/stop_signal.h"

namespace muxbench {

const ModelInfo kModel{.name = "blocking_iterative",
                       .family = "blocking",
                       .mechanism = "accept, recv and send in turn",
                       .capabilities = {.concurrent = false, .child_work = true}};

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
    converse(connection.get(), session, server.options.idle_timeout);
    server.counters().requests = sessions.requests;
    stop_signal::also_ends_input_of(-1);
  }
}

}  // namespace muxbench
