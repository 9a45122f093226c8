// One run of the load generator, with a call at the moments that its phase lines tell.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "driver/child_process.h"
#include "driver/json_reader.h"
#include "driver/settings.h"
#include "net/address.h"

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
  // Also held still while `measuring` is told, so that what is in flight then can be awaited.
  bool hold_at_start = false;
  int server_pidfd = -1;  // a server's death ends the run at once
};

struct LoadCalls {
  // With the load generator's process.
  std::function<void(pid_t)> measuring;  // the measured window begins
  // It has ended, and the load generator is stopped until this returns: its connections are open.
  std::function<void(pid_t)> measured;
};

std::vector<std::string> load_command(const LoadRequest& request);
// Its result, also one of status "failed"; an error when it gave none.
Result<Json> run_load(const LoadRequest& request, const LoadCalls& calls);
// Why a result is not "ok": "3 requests failed: closed: connection 17 ...". Empty when it is ok.
std::string load_failure(const Json& result);

}  // namespace muxbench
