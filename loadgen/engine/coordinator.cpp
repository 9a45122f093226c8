#include "engine/coordinator.h"

#include "base/output.h"

namespace muxbench::loadgen {

bool LocalCoordinator::connected(bool any) {
  if (any) announce("connected");
  return any;
}

Instant LocalCoordinator::start() { return Clock::now() + std::chrono::milliseconds(3); }

void LocalCoordinator::announce(const char* phase) {
  if (phases_) print_phase(phase);
}

void print_phase(const char* phase) {
  print("{{\"phase\":\"{}\"}}\n", phase);
  flush_output("loadgen");
}

}  // namespace muxbench::loadgen
