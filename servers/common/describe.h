// What a server says of itself: --describe, and the ready line.
#pragma once

#include "common/model.h"

namespace muxbench {

// One JSON object on stdout: name, family, mechanism, capabilities, available or the reason why
// not, features.
void print_description(const ModelInfo& model, const Probe& probe);

// {"ready":true,"address":"127.0.0.1:43211","pid":4711}
void print_ready_line(const Address& address);

}  // namespace muxbench
