// --work child: what each request costs is a process, find over --root, its output thrown away. That
// is work which a blocking model simply waits for, and an event loop must not
// (event_loop/pending_work.h). The session holds the answer back until the model says that the work
// is done. A child never outlives the server that started it.
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "runtime/options.h"

namespace muxbench {

// Opens the folder over which the work goes, so that root may name one that only root can get to;
// and, for the user that serves then, whether it can be read.
Result<> open_child_work(const Options& options);
Result<> check_child_work(const Options& options);

// Starts the child; -1 if it cannot be started. waitpid(2) tells when it has ended.
pid_t start_child_work() noexcept;

// Starts the child and waits until it ends. False: too many processes, so the answer cannot be
// given.
bool run_child_work() noexcept;

}  // namespace muxbench
