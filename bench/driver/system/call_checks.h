// Does this kernel, and what confines this process, let it make the system calls that some models stand on?
#pragma once

#include <string>

#include "system/host_checks.h"
#include "system/host_cpu.h"

namespace muxbench {

struct RefusedCall {
  std::string name;
  int error = 0;  // as errno(3) has it; 0: who makes the call is killed
};

// What refused it, and the remedy, from the /proc below `root`.
Diagnosis explain_refusal(const std::string& subject, const RefusedCall& call,
                          const Root& root = "/");

Diagnosis check_io_uring();
Diagnosis check_linux_aio();

}  // namespace muxbench
