// Processes started in advance: each blocks in accept on the one listener, and the kernel gives a
// connection to one of them.
// Syscalls per request: 1 recv, 1 send; a wake-up by the scheduler, and none for the connection but
// accept and close.
// Limit: as many clients at once as there are processes; a silent client holds one (unless
// --idle-timeout is set).
#include "base/unique_fd.h"
#include "blocking/converse.h"
#include "blocking/pauses.h"
#include "net/sys.h"
#include "processes/worker_group.h"
#include "runtime/accept_throttle.h"
#include "runtime/model.h"
#include "runtime/stop_signal.h"

namespace muxbench {

// 256, as Apache's prefork module has it (MaxRequestWorkers): room for the 128 connections at which
// models are compared.
const ModelInfo kModel{
    .name = "prefork",
    .family = "process",
    .mechanism = "processes that each block in accept, recv and send",
    .capabilities = {.workers = true, .one_client_per_worker = true, .default_workers = 256},
    .says_when_ready = true};

namespace {

Result<> run(ServerContext& server) {
  SessionContext sessions = server.new_session_context();
  AcceptThrottle throttle(server.options.max_connections);
  server.ready();
  while (!stop_signal::requested()) {
    // All workers sleep here. Linux wakes one of them for a connection, the one that has waited
    // longest, so there is no herd and no lock around accept as other kernels needed.
    const IoResult accepted = sys::accept(server.listener);
    if (!accepted.ok()) {
      // EINVAL: the parent has shut the listener down; our own stop signal need not have come yet.
      if (accepted.error() == Errno{EINVAL}) return {};
      if (throttle.on_error(accepted.error()) == AcceptAdvice::pause) {
        sleep_until(throttle.pause_ends());
      }
      continue;
    }
    count(server.counters().accepted);
    const UniqueFd connection(accepted.fd());
    set_io_timeout(connection.get(), server.options.idle_timeout);
    stop_signal::also_ends_input_of(connection.get());
    {
      Session session(sessions);
      converse(connection.get(), session, server.options.idle_timeout);
    }
    server.counters().requests = sessions.requests;
    stop_signal::also_ends_input_of(-1);
  }
  return {};
}

}  // namespace

Result<> serve(ServerContext& server) {
  // A worker is a connection, so --max-connections limits the workers.
  Options options = server.options;
  options.workers =
      static_cast<unsigned>(std::min<std::size_t>(options.workers, options.max_connections));
  return run_worker_processes(server.for_worker(0, options), run);
}

}  // namespace muxbench
