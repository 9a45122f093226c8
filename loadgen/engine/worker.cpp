#include "engine/worker.h"

#include <sched.h>

#include "client/echo_client.h"
#include "client/greet_client.h"
#include "client/http_client.h"
#include "engine/interrupt.h"
#include "engine/load_loop_beside.h"
#include "engine/load_loop_connect.h"
#include "engine/load_loop_hot.h"
#include "engine/load_loop_open.h"
#include "engine/load_loop_rare.h"

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

Share share_of(const Options& options, unsigned thread) {
  const auto split = [&](std::uint32_t total) {
    const std::uint32_t each = total / options.threads;
    const std::uint32_t more = total % options.threads;  // the first threads take one more
    return std::pair{each * thread + std::min(thread, more), each + (thread < more ? 1U : 0U)};
  };
  const auto [first_active, active] = split(options.connections);
  const auto [first_idle, idle] = split(options.beside());
  return {.thread = thread,
          .first_active = first_active,
          .active = active,
          .first_idle = options.connections + first_idle,
          .idle = idle};
}

void run_worker(const Plan& plan, const Share& share, Control& control, ThreadReport& report) {
  block_signals_in_this_thread();
  own_descriptors();
  report.cpu = plan.options.cpus[share.thread % plan.options.cpus.size()];
  pin_to(report.cpu);
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
