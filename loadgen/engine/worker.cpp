#include "engine/worker.h"

#include <sched.h>

#include "client/echo_client.h"
#include "client/greet_client.h"
#include "client/http_client.h"
#include "engine/interrupt.h"
#include "engine/load_loop.h"

namespace muxbench::loadgen {
namespace {

// unshare(2) CLONE_FILES: from now on the calling thread opens and closes for itself only. System
// calls get cheaper too: the kernel need not count references in a table that nobody shares.
// ThreadSanitizer takes equal numbers for one descriptor, so there the table stays shared.
void own_descriptors() noexcept {
#ifndef __SANITIZE_THREAD__
  ::unshare(CLONE_FILES);
#endif
}

// The calling thread runs on this CPU only.
void pin_to(int cpu) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

void run_echo(const Plan& plan, const Share& share, Control& control, ThreadReport& report) {
  LoadLoop<EchoClient> loop(plan.options, share, control, report, [&](auto& self) {
    const auto owner_of = [&self](std::uint32_t offset) {
      return self.find_connection(
          [&](const EchoClient::State& state) { return self.client().covers(state, offset); });
    };
    return EchoClient(*plan.pattern, plan.options.message_bytes, self.errors(), owner_of,
                      plan.options.pipeline);
  });
  loop.run();
}

void run_greet(const Plan& plan, const Share& share, Control& control, ThreadReport& report) {
  LoadLoop<GreetClient> loop(plan.options, share, control, report, [&](auto& self) {
    return GreetClient(*plan.pattern, plan.options.message_bytes.fixed(), self.errors());
  });
  loop.run();
}

void run_http(const Plan& plan, const Share& share, Control& control, ThreadReport& report) {
  LoadLoop<HttpClient> loop(plan.options, share, control, report,
                            [&](auto& self) { return HttpClient(plan.site, self.errors()); });
  loop.run();
}

}  // namespace

void run_worker(const Plan& plan, const Share& share, Control& control, ThreadReport& report) {
  block_signals_in_this_thread();
  own_descriptors();
  report.usage.cpu = plan.options.cpus[share.thread % plan.options.cpus.size()];
  pin_to(report.usage.cpu);
  switch (plan.options.protocol) {
    case ProtocolKind::echo:
      return run_echo(plan, share, control, report);
    case ProtocolKind::greet:
      return run_greet(plan, share, control, report);
    case ProtocolKind::http:
      return run_http(plan, share, control, report);
  }
}

}  // namespace muxbench::loadgen
