// What the parts of a thread's loop share.
#pragma once

#include "engine/control.h"
#include "engine/loop_clock.h"
#include "engine/poller.h"
#include "engine/share.h"
#include "engine/statistics.h"
#include "engine/window.h"

namespace muxbench::loadgen {

enum class Phase : std::uint8_t { opening, rest, load };

struct LoopState {
  LoopState(const Options& asked, const Share& of_thread, Control& of_run, ThreadReport& report)
      : options(asked),
        share(of_thread),
        control(of_run),
        open_loop(asked.open_loop()),
        per_request(asked.per_request()),
        pipeline(static_cast<std::uint16_t>(asked.pipeline)),
        statistics(report, open_loop),
        poller(asked.target.is_unix()) {}
  LoopState(const LoopState&) = delete;
  LoopState& operator=(const LoopState&) = delete;

  const Options& options;
  const Share share;
  Control& control;
  const bool open_loop;
  const bool per_request;  // each request opens a connection of its own
  const std::uint16_t pipeline;
  Phase phase = Phase::opening;
  LoopClock clock;
  Window window;
  Statistics statistics;
  Timers timers{clock};
  std::vector<std::byte> buffer = std::vector<std::byte>(kReceiveBufferBytes);
  Poller poller;
};

}  // namespace muxbench::loadgen
