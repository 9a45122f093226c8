// The kernel's list of tracepoints (tracefs), for perf_event_open(2).
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace muxbench {

class TraceEvents {
 public:
  // The mounted tracefs, or one mounted for this object alone: the host's mounts stay as they are.
  static Result<TraceEvents> open();
  // The number of "syscalls/sys_enter_recvfrom", for perf_event_attr::config.
  Result<std::uint64_t> id(const std::string& event) const;

 private:
  explicit TraceEvents(UniqueFd root) : root_(std::move(root)) {}
  UniqueFd root_;
};

}  // namespace muxbench
