// --workers N: one function in N processes, or in N threads.
//
//   Result<> serve(ServerContext& server) {
//     return run_worker_processes(server, [](ServerContext& worker) { return Model(worker).run();
//     });
//   }
//
// Each worker gets a ServerContext of its own: `worker` is its number, from 0, and selects its
// counters; `options.max_connections` is its share of --max-connections. Threads that share one
// table of connections take the server's context for that instead. --pin puts each on a CPU.
//
// The ready line is printed before serve() is called, and connections that come before all workers
// wait go to those that do. A model whose spread suffers from that sets ModelInfo::says_when_ready
// and calls worker.ready() in each.
//
// How they stop: the stop signal's handler shuts the listener down, and that wakes every process
// and every thread that waits for it, in accept(2) as in a wait call, because they all have the
// same socket. Each worker then finishes what it has in flight and returns. Two kinds need more:
// a worker with a listener of its own names it to stop_signal::also_shuts_down(), and one that
// blocks in recv(2) must end its connection's input (in a process: also_ends_input_of()).
//
// Errors: a worker that returns one, and a worker process that dies, end the whole server, which
// says why. Both functions return when the last worker has ended.
#pragma once

#include <functional>

#include "runtime/model.h"

namespace muxbench {

using ServeAsWorker = std::function<Result<>(ServerContext& worker)>;

// The calling process only starts the workers and watches over them.
Result<> run_worker_processes(const ServerContext& server, const ServeAsWorker& serve);

// The calling thread only joins the others. `serve` runs in all of them at the same time.
Result<> run_worker_threads(const ServerContext& server, const ServeAsWorker& serve);

}  // namespace muxbench
