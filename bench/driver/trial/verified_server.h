// A server that has started and given right answers, for a trial or a round.
#pragma once

#include <optional>
#include <string>

#include "trial/load_session.h"
#include "trial/server_process.h"
#include "trial/trial.h"
#include "trial/verify.h"

namespace muxbench {

class VerifiedServer {
 public:
  // Nothing where it did not start or answered wrongly: `result` says why.
  static std::optional<VerifiedServer> start(const TrialSetup& setup, TrialResult& result);

  ServerProcess& process() noexcept { return process_; }
  LoadRequest load_request(const TrialSetup& setup) const;
  // If it has died under load, `result` says so.
  void look_whether_it_died(TrialResult& result);
  // Verified once more and stopped as the contract says; killed where `result` has an error.
  void finish(const TrialSetup& setup, TrialResult& result);

 private:
  VerifiedServer(ServerProcess process, HttpRoot root, std::string counters)
      : process_(std::move(process)), root_(std::move(root)), counters_(std::move(counters)) {}
  bool is_right(const Result<>& verified, TrialResult& result);

  ServerProcess process_;
  HttpRoot root_;
  std::string counters_;  // the file that it writes at its end; empty: none
};

}  // namespace muxbench
