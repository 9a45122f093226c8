// Coordinates a run over many hosts: all open their connections, begin the window together, and leave
// when all are drained. Nothing is said within the window.
#pragma once

#include "engine/coordinator.h"
#include "peers.h"

namespace muxbench::loadgen {

class HostCoordinator final : public Coordinator {
 public:
  // `phases`: the first host speaks with the program that drives it.
  HostCoordinator(Peers& peers, const Options& options, bool phases);

  bool connected(bool any) override;
  std::optional<std::string> next_command() override;
  bool takes_slices() const override { return false; }
  Instant start() override;
  void announce(const char* phase) override;

  // The run has ended before its connections were open, everywhere or here alone: the others hear of
  // it. An empty text: it has a result all the same.
  void give_up(const std::string& why);
  bool has_connected() const noexcept { return connected_; }
  // Why there is no result, at the first host; empty: there is one.
  const std::string& failure() const noexcept { return failure_; }

  // At the first host: of each, once all are drained.
  struct Clocks {
    std::vector<ClockOffset> offsets;
    std::vector<Nanoseconds> skews;  // of their windows against its own
  };
  const Clocks& clocks() const noexcept { return clocks_; }
  Nanoseconds patience() const noexcept { return patience_; }

 private:
  bool meet_connected(const std::string& state);
  std::vector<std::string> gather(const std::string& own, Nanoseconds patience);
  void measure_skews(const std::vector<std::string>& lateness);

  Peers& peers_;
  const bool phases_;
  const Nanoseconds patience_;  // with a host that is behind the first one
  const Nanoseconds filling_;
  CommandInput commands_;
  bool connected_ = false;
  bool gone_ = false;  // without phases there is one command
  std::string failure_;
  Nanoseconds late_{};  // the start was over when this process heard of it
  std::vector<ClockOffset> before_;
  Clocks clocks_;
};

// A failure without a result: for a program that reads results, and for people.
[[noreturn]] void fail_all(Peers& peers, const std::string& why, bool as_json);

}  // namespace muxbench::loadgen
