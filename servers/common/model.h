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
#include "common/options.h"
#include "protocol/session.h"

namespace muxbench {

struct Capabilities {
  bool concurrent = true;             // false: one client at a time, the others wait
  bool workers = false;               // --workers may be more than 1
  std::uint64_t max_connections = 0;  // a limit of the mechanism itself (select); 0: none
};

// What a mechanism really uses on this kernel, for --describe: {"single_issuer", true}.
using Feature = std::pair<std::string, std::variant<bool, std::int64_t, std::string>>;

struct Probe {
  std::string unavailable_because;  // empty: the model can run here
  std::vector<Feature> features;
};

struct ModelInfo {
  std::string_view name;  // the program is server_<name>
  std::string_view
      family;  // blocking, process, thread, polling, readiness, signal, completion or library
  std::string_view mechanism;  // the calls it stands on, in a few words
  Capabilities capabilities{};
  Probe (*probe)() = nullptr;  // nullptr: always available, nothing to tell
};

struct ServerContext {
  const Options& options;
  const int listener;  // blocking, listening, TCP_NODELAY (accepted sockets inherit it). The stop signal shuts it down.

  // One for each worker: sessions of one context share a buffer pool, which is not for several threads.
  SessionContext new_session_context() const;
};

// Defined by each model.
extern const ModelInfo kModel;
// Serves until the stop signal and what is in flight then; returns an error only if it cannot
// start.
Result<> serve(ServerContext& server);

}  // namespace muxbench
