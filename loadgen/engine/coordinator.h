// Who coordinates a run: decides when its phases begin, and hears of them. Of a load generator alone it
// is that process itself, or with --phases the program that drives it. Of many hosts it is the first
// one of them (loadgen/mpi).
#pragma once

#include <optional>
#include <string>

#include "engine/arrivals.h"
#include "engine/commands.h"

namespace muxbench::loadgen {

// Called by the main thread of a run, never within its measured window.
class Coordinator {
 public:
  virtual ~Coordinator() = default;

  // Connections are open; none, where `any` is false. True: the load follows.
  virtual bool connected(bool any) = 0;
  // With --phases: the next command; nothing: no more comes.
  virtual std::optional<std::string> next_command() = 0;
  // May a command be a slice?
  virtual bool takes_slices() const = 0;
  // When the load starts: far enough ahead that every thread has seen it before it comes.
  virtual Instant start() = 0;
  // "measuring" and "measured" when they begin and end, "drained" when all is answered.
  virtual void announce(const char* phase) = 0;
};

// Of a load generator alone. One object for a process: its input reads ahead.
class LocalCoordinator final : public Coordinator {
 public:
  // With `phases` there are lines on standard output, and commands come on standard input.
  explicit LocalCoordinator(bool phases) : phases_(phases) {}

  bool connected(bool any) override;
  std::optional<std::string> next_command() override { return commands_.next(); }
  bool takes_slices() const override { return true; }
  Instant start() override;
  void announce(const char* phase) override;

 private:
  bool phases_;
  CommandInput commands_;
};

// {"phase":"drained"} on standard output, for a program that samples the server at these moments.
void print_phase(const char* phase);

}  // namespace muxbench::loadgen
