// The seam between a model and the rest: a model's file defines kModel and serve(); main.cpp owns
// the command line, the listener, signals and the ready line, and calls serve().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "protocol/session.h"
#include "runtime/counters.h"
#include "runtime/options.h"

namespace muxbench {

struct Capabilities {
  bool concurrent = true;               // false: one client at a time, the others wait
  bool workers = false;                 // --workers may be more than 1
  std::uint64_t max_connections = 0;    // a limit of the mechanism itself (select); 0: none
  bool idle_cpu = false;                // it uses the processor while nothing happens
  bool edge_triggered = false;          // it takes a short read to mean that there is no more
  bool program_per_connection = false;  // each connection is the start of a program: milliseconds
  // Each connection needs a place in the queue of signals (ulimit -i); without one, clients wait.
  bool signal_per_connection = false;
  // Out of descriptors it closes those who wait, where others let them wait.
  bool sheds_when_full = false;
  // The kernel may refuse to watch a descriptor (epoll_ctl: ENOMEM, ENOSPC). False: its library does
  // not hand that on, so that more than the one connection suffers.
  bool survives_refused_watch = true;
  bool child_work = false;  // --work child: it looks at Session::awaits_work()
  // A worker serves one client at a time, and the others wait: then the number of workers is the
  // limit, and the default has to be as large as the loads that are worth comparing.
  bool one_client_per_worker = false;
  unsigned default_workers = 1;
};

// What a mechanism really uses on this kernel, for --describe: {"single_issuer", true}.
using Feature = std::pair<std::string, std::variant<bool, std::int64_t, std::string>>;

struct Probe {
  std::string unavailable_because;  // empty: the model can run here
  std::vector<Feature> features;
};

struct ServerContext;

struct ModelInfo {
  std::string_view name;  // the program is server_<name>
  std::string_view
      family;  // blocking, process, thread, polling, readiness, signal, completion or library
  std::string_view mechanism;  // the calls it stands on, in a few words
  Capabilities capabilities{};
  Probe (*probe)() = nullptr;  // nullptr: always available, nothing to tell
  // It calls ServerContext::ready() itself, in every worker.
  bool says_when_ready = false;
  // For a model that starts its own program again for each connection (--inetd-handler): serves the
  // one on standard input. There is no listener then, and no ready line.
  Result<> (*inetd_handler)(ServerContext&) = nullptr;
};

struct ServerContext {
  const Options& options;
  const int
      listener;  // blocking, listening, TCP_NODELAY (accepted sockets inherit it). The stop signal shuts it down.
  std::span<char* const> arguments;  // the command line that this program was started with
  Site* site = nullptr;              // what http serves; nullptr for the other protocols

  int root_folder = -1;  // O_PATH; of that site, for programs that the server starts
  unsigned worker = 0;   // its number, in a group of workers (worker_group.h)

  // The same for one worker of several, with options of its own.
  ServerContext for_worker(unsigned number, const Options& its_options) const {
    return {its_options, listener, arguments, site, root_folder, number};
  }
  // This worker waits for connections. The last one prints the ready line: connections that come
  // before all wait would go to those that do.
  void ready() const;
  WorkerCounters& counters() const noexcept { return counters::of_worker(worker); }

  // One for each worker: sessions of one context share a buffer pool, which is not for several threads.
  SessionContext new_session_context() const;
};

// The calling thread is that worker from now on: --slow-worker asks. worker_group.h calls it, and a
// model that starts its workers itself does so too. A thread that never called it is worker 0.
void run_as_worker(unsigned number) noexcept;

// Defined by each model.
extern const ModelInfo kModel;
// Serves until the stop signal and what is in flight then; returns an error only if it cannot
// start.
Result<> serve(ServerContext& server);

}  // namespace muxbench
