// What a server says of itself: --describe, and the ready line.
#pragma once

#include <sys/types.h>

#include "runtime/model.h"

namespace muxbench {

// One JSON object on stdout: name, family, mechanism, capabilities (some depend on --workers),
// available or the reason why not, features.
void print_description(const ModelInfo& model, const Probe& probe, const Options& options);

// {"ready":true,"address":"127.0.0.1:43211","pid":4711}
void print_ready_line(const Address& address, pid_t pid);

}  // namespace muxbench
