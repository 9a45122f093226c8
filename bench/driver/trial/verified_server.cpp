#include "trial/verified_server.h"

#include <unistd.h>

#include "base/file.h"
#include "plan/trial_cost.h"

namespace muxbench {
namespace {

// The kernel closes a process's sockets before the process has ended, and a runtime may close them
// long before. A server that closes connections and lives on costs a failed trial this time.
constexpr auto kLastBreath = std::chrono::seconds(2);

// Several servers may run at a time. Empty where no worker is slowed: nothing is asked then.
std::string counters_file(const TrialSetup& setup) {
  static unsigned number = 0;
  if (setup.cell->settings.slow_worker_us == 0) return {};
  return fmt::format("{}/counters-{}.json", setup.scratch, ++number);
}

std::vector<std::string> server_arguments(const TrialSetup& setup, const std::string& counters) {
  std::vector<std::string> arguments = arguments_of(setup.cell->settings, Side::server);
  if (!counters.empty()) arguments.insert(arguments.end(), {"--counters", counters});
  return arguments;
}

// What a server has counted, by worker; the file is gone then.
Result<std::vector<std::uint64_t>> take_worker_requests(const std::string& file) {
  const auto text = read_file(file);
  if (!text) return text.error();
  ::unlink(file.c_str());
  const Json counted = Json::parse(*text, nullptr, false);
  std::vector<std::uint64_t> requests;
  if (counted.is_object() && counted.contains("workers")) {
    for (const Json& worker : counted["workers"]) {
      const auto one = number_at(worker, "/requests");
      if (one) requests.push_back(static_cast<std::uint64_t>(*one));
    }
  }
  if (requests.empty()) return make_error("the server wrote no counters of its workers");
  return requests;
}

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
  std::string counters = counters_file(setup);
  auto process = ServerProcess::start(*setup.model, {.protocol = protocol,
                                                     .transport = setup.experiment->transport,
                                                     .listen = setup.listen,
                                                     .scratch = setup.scratch,
                                                     .root = root.folder,
                                                     .cpus = setup.server_cpus,
                                                     .extra = server_arguments(setup, counters),
                                                     .memory_limit = setup.server_memory});
  if (!process) {
    result.error = process.error().message;
    result.server_failed = true;
    return {};
  }
  VerifiedServer server(std::move(*process), std::move(root), std::move(counters));
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
  if (counters_.empty() || !result.stop_error.empty()) return;
  if (auto requests = take_worker_requests(counters_)) {
    result.worker_requests = std::move(*requests);
  } else {
    result.stop_error = requests.error().message;
  }
}

bool VerifiedServer::is_right(const Result<>& verified, TrialResult& result) {
  if (verified) return true;
  const auto died = process_.death("while it was verified");
  result.error = died ? *died : "the server gave a wrong answer: " + verified.error().message;
  result.server_failed = true;
  return false;
}

}  // namespace muxbench
