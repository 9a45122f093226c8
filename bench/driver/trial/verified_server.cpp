#include "trial/verified_server.h"

#include "plan/trial_cost.h"

namespace muxbench {
namespace {

// The kernel closes a process's sockets before the process has ended, and a runtime may close them
// long before. A server that closes connections and lives on costs a failed trial this time.
constexpr auto kLastBreath = std::chrono::seconds(2);

}  // namespace

std::optional<VerifiedServer> VerifiedServer::start(const TrialSetup& setup, TrialResult& result) {
  const std::string& protocol = setup.experiment->protocol;
  HttpRoot root;
  if (protocol == "http") {
    auto made = make_http_root(setup.scratch, setup.cell->settings.message_bytes);
    if (!made) {
      result.error = made.error().message;
      return {};
    }
    root = std::move(*made);
  }
  auto process =
      ServerProcess::start(*setup.model, {.protocol = protocol,
                                          .transport = setup.experiment->transport,
                                          .listen = setup.listen,
                                          .scratch = setup.scratch,
                                          .root = root.folder,
                                          .cpus = setup.server_cpus,
                                          .extra = arguments_of(setup.cell->settings, Side::server),
                                          .memory_limit = setup.server_memory});
  if (!process) {
    result.error = process.error().message;
    result.server_failed = true;
    return {};
  }
  VerifiedServer server(std::move(*process), std::move(root));
  result.server_command = server.process_.command();
  const auto verified = verify_briefly(server.process_.address(), protocol, server.root_);
  if (server.is_right(verified, result)) return server;
  server.process_.kill_now();
  return {};
}

LoadRequest VerifiedServer::load_request(const TrialSetup& setup) const {
  const LoadSettings& settings = setup.cell->settings;
  return {.program = setup.loadgen,
          .hosts = setup.hosts,
          .network = setup.load_network,
          .target = process_.address(),
          .protocol = setup.experiment->protocol,
          .body_root = root_.folder,
          .settings = settings,
          .warmup = warmup_of(*setup.model, *setup.experiment, settings),
          .duration = setup.experiment->duration,
          .cpus = setup.load_cpus,
          .timeout = setup.load_timeout,
          .server_pidfd = process_.pidfd()};
}

void VerifiedServer::look_whether_it_died(TrialResult& result) {
  if (lost_connections(result.load)) process_.wait_for_its_end(kLastBreath);
  if (const auto died = process_.death("while it was under load")) {
    result.error = *died;
    result.server_failed = true;
  }
}

void VerifiedServer::finish(const TrialSetup& setup, TrialResult& result) {
  if (result.ok()) {
    is_right(verify_alive(process_.address(), setup.experiment->protocol, root_), result);
  }
  if (!result.ok()) {
    process_.kill_now();
    return;
  }
  if (const auto stopped = process_.stop(); !stopped) result.stop_error = stopped.error().message;
}

bool VerifiedServer::is_right(const Result<>& verified, TrialResult& result) {
  if (verified) return true;
  const auto died = process_.death("while it was verified");
  result.error = died ? *died : "the server gave a wrong answer: " + verified.error().message;
  result.server_failed = true;
  return false;
}

}  // namespace muxbench
