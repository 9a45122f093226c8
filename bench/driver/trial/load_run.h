// One run of the load generator, with a call at each phase that it announces.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "net/address.h"
#include "plan/load_settings.h"
#include "system/child_process.h"
#include "trial/load_result.h"

namespace muxbench {

struct LoadRequest {
  std::string program;
  Address target;
  std::string protocol;
  std::string body_root;  // http: the folder that bodies must equal
  LoadSettings settings;
  Nanoseconds warmup{};
  Nanoseconds duration{};
  std::vector<int> cpus;
  Nanoseconds timeout{};  // for the whole of it
  int server_pidfd = -1;  // a server's death ends the run at once
};

enum class Phase {
  connected,  // connections are open and silent; the load starts when the call has returned
  measuring,  // the measured window begins
  measured,   // it has ended
  drained     // all requests are answered; connections stay open until the call has returned
};

std::vector<std::string> load_command(const LoadRequest& request);
// Its result, also one of status "failed"; an error when it gave none.
Result<LoadResult> run_load(const LoadRequest& request,
                            const std::function<void(Phase, pid_t load)>& on_phase);

}  // namespace muxbench
