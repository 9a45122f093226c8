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

#include <signal.h>

#include <functional>

#include "runtime/model.h"

namespace muxbench {

using ServeAsWorker = std::function<Result<>(ServerContext& worker)>;

// What the parent of workers does instead of only waiting: one wait, with `mask`, and what follows
// from it. It is called again and again until the stop signal has come or a worker has ended; their
// signals are blocked, and let in by `mask` (ppoll).
using WaitAsParent = std::function<void(const sigset_t& mask)>;

// The calling process only starts the workers and watches over them, or does a part by `wait`.
Result<> run_worker_processes(const ServerContext& server, const ServeAsWorker& serve,
                              const WaitAsParent& wait = {});

// What the calling thread does while so many threads serve: accept for them, for example. It returns
// when the stop signal has come; an error is the server's, and ends the threads too.
using Meanwhile = std::function<Result<>(std::size_t threads)>;

// `serve` runs in all threads at the same time. The calling thread joins them, after `meanwhile` if
// there is one.
Result<> run_worker_threads(const ServerContext& server, const ServeAsWorker& serve,
                            const Meanwhile& meanwhile = {});

}  // namespace muxbench
