// Was a slice disturbed by other processes? Not by its server, its load generator and the driver.
#pragma once

#include <optional>

#include "system/foreign_cpu.h"
#include "trial/slice.h"
#include "trial/trial.h"

namespace muxbench {

// The share of a slice's time that other processes may take of a side's CPUs.
inline constexpr double kDisturbed = 0.05;

class DisturbanceWatch {
 public:
  // Begins here. Without `foreign` it goes by how long the two waited for a CPU.
  DisturbanceWatch(const ForeignCpu* foreign, const TrialSetup& setup, pid_t server, pid_t load);

  // Ends here: both sides are at rest again.
  bool is_disturbed(const Slice& slice) const;

 private:
  struct Reading {
    Nanoseconds server_side{};  // used by all processes
    Nanoseconds load_side{};
    Nanoseconds own{};  // by load generator and driver
    std::optional<Nanoseconds> server_waited;
    std::optional<Nanoseconds> load_waited;
  };
  Reading read() const;

  const ForeignCpu* foreign_;
  const TrialSetup& setup_;
  pid_t server_;
  pid_t load_;
  Reading begin_;
};

}  // namespace muxbench
