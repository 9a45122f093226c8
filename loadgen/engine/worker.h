// What one thread of the load generator runs: the load loop of the protocol asked for.
#pragma once

#include <optional>

#include "client/http_site.h"
#include "client/pattern.h"
#include "engine/control.h"
#include "engine/share.h"
#include "options/options.h"

namespace muxbench::loadgen {

// Made once, read by all threads.
struct Plan {
  Options options;
  std::optional<Pattern> pattern;  // echo and greet
  HttpSite site;                   // http
};

void run_worker(const Plan& plan, const Share& share, Control& control, ThreadReport& report);

}  // namespace muxbench::loadgen
