// One server of a round, with its load generator: open from the round's begin to its end, at rest
// until it is its turn.
#pragma once

#include <optional>

#include "system/foreign_cpu.h"
#include "trial/load_session.h"
#include "trial/verified_server.h"
#include "trial/watch.h"

namespace muxbench {

class RoundMember {
 public:
  // Starts and verifies the server and opens its connections. What went wrong, then or later, is in
  // result(), and it takes no further part.
  // `began`: when the run did.
  RoundMember(const TrialSetup& setup, Clock::time_point began);
  RoundMember(const RoundMember&) = delete;
  RoundMember& operator=(const RoundMember&) = delete;
  ~RoundMember();

  bool takes_part() const noexcept { return session_ && result_.ok(); }
  const TrialResult& result() const noexcept { return result_; }

  // A slice that is not kept.
  std::optional<Slice> try_slice(const SlicePlan& plan);
  // Its slice of a block. `foreign`: who else used the CPUs, if that can be known.
  void take_turn(unsigned block, const SlicePlan& plan, const ForeignCpu* foreign);
  // Counts the system calls of one more slice.
  void count(SyscallCounter& counter, const SlicePlan& plan);

  struct Found {
    TrialResult result;                 // what the slices add up to
    std::optional<TrialResult> counts;  // of a counting trial, if there was one
  };
  // The end of a round, each step for all its members before the next one: no slice comes any more
  // and all connections are still open; they are closed; the server is verified once more and stopped.
  void drain();
  void leave();
  Found finish();

 private:
  std::optional<Slice> run_slice(const SlicePlan& plan);
  bool freezes() const noexcept { return setup_.model->capabilities.idle_cpu; }
  // The load generator's, which has left; nothing, and failed, where none comes.
  std::optional<LoadResult> result_of_session();
  void take_result();
  void wake();
  void freeze();
  void fail(const LoadResult& session);
  void fail(const std::string& reason);  // ends both sides at once
  void stop_server();

  TrialSetup setup_;
  Clock::time_point began_;
  TrialResult result_;
  std::optional<TrialResult> counts_;
  std::optional<VerifiedServer> server_;
  std::optional<UsageWatch> usage_watch_;
  std::optional<LoadSession> session_;
};

}  // namespace muxbench
