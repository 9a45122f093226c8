// A load generator that runs: what it announces, and what it is told. It takes one ordinary run, or
// any number of slices (loadgen --phases).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/address.h"
#include "plan/load_hosts.h"
#include "plan/load_settings.h"
#include "system/child_process.h"
#include "trial/load_result.h"

namespace muxbench {

struct LoadRequest {
  std::string program;
  const LoadHosts* hosts = nullptr;  // the load comes from there, and `cpus` does not matter
  int network = -1;                  // its namespace, if it is not ours
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
  connected,  // connections are open and silent; it waits to be told what to do
  measuring,  // the measured window begins
  measured,   // it has ended
  drained     // all requests are answered; connections stay open until it is told to go on
};
std::optional<Phase> phase_of(const Json& document);

std::vector<std::string> load_command(const LoadRequest& request);

class LoadSession {
 public:
  static Result<LoadSession> start(const LoadRequest& request);

  pid_t pid() const noexcept { return child_.pid(); }
  void say(std::string_view line) const noexcept { child_.say(line); }
  // The next line that it prints, null at the end of its output; an error when it does not come in
  // time or the server dies first.
  Result<Json> next(Clock::time_point deadline);
  // Until the phase; an error where something else comes.
  Result<> await(Phase phase, Clock::time_point deadline);
  // At the end of its output: its result, also one of status "failed"; an error when it gave none.
  Result<LoadResult> result();

 private:
  LoadSession(ChildProcess child, const LoadRequest& request)
      : child_(std::move(child)), server_pidfd_(request.server_pidfd) {
    if (request.hosts != nullptr) hosts_ = request.hosts->names;
  }

  ChildProcess child_;
  int server_pidfd_;
  std::vector<std::string> hosts_;
  std::string last_;  // its result, once it has come
};

}  // namespace muxbench
