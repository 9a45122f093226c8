#include "trial/load_run.h"

#include <algorithm>

#include "base/parse.h"

namespace muxbench {
namespace {

std::string join(const std::vector<int>& cpus) { return fmt::format("{}", fmt::join(cpus, ",")); }

std::string as_argument(Nanoseconds duration) { return fmt::format("{}ns", duration.count()); }

std::optional<Phase> phase_of(const Json& json) {
  const auto name = text_at(json, "/phase");
  if (name == "connected") return Phase::connected;
  if (name == "measuring") return Phase::measuring;
  if (name == "measured") return Phase::measured;
  if (name == "drained") return Phase::drained;
  return {};
}

}  // namespace

std::vector<std::string> load_command(const LoadRequest& request) {
  const auto threads =
      std::clamp<std::uint64_t>(request.settings.connections, 1, request.cpus.size());
  std::vector<std::string> command{request.program, "--target", request.target.to_string(),
                                   "--protocol", request.protocol};
  LoadSettings settings = request.settings;
  const bool http = request.protocol == "http";
  if (http) settings.message_bytes = LoadSettings{}.message_bytes;  // the file has it
  for (std::string& word : arguments_of(settings, Side::load)) {
    command.push_back(std::move(word));
  }
  if (http) {
    for (const std::string& word : {std::string("--path"), std::string("/index.html"),
                                    std::string("--body-root"), request.body_root}) {
      command.push_back(word);
    }
  }
  for (const std::string& word :
       {std::string("--threads"), std::to_string(threads), std::string("--cpus"),
        join(request.cpus), std::string("--warmup"), as_argument(request.warmup),
        std::string("--duration"), as_argument(request.duration), std::string("--json"),
        std::string("-"), std::string("--phases"), std::string("--quiet")}) {
    command.push_back(word);
  }
  return command;
}

Result<LoadResult> run_load(const LoadRequest& request,
                            const std::function<void(Phase, pid_t load)>& on_phase) {
  auto child = ChildProcess::start(
      {.command = load_command(request), .cpus = request.cpus, .listens = true});
  if (!child) return child.error();
  const auto deadline = Clock::now() + request.timeout;
  std::string line;
  std::string last;
  while (true) {
    switch (child->read_line(line, deadline, last.empty() ? request.server_pidfd : -1)) {
      case Wait::interrupted:
        return make_error("interrupted");
      case Wait::exited:
        return make_error("the server died while it was under load");
      case Wait::timeout:
        return make_error(
            "the load generator did not end within {}; the server may have stopped "
            "answering",
            to_string(request.timeout));
      case Wait::line: {
        const Json json = Json::parse(line, nullptr, false);
        if (const auto phase = phase_of(json)) {
          on_phase(*phase, child->pid());
          const bool waits = *phase == Phase::connected || *phase == Phase::drained;
          if (waits) child->say("go");
        }
        if (text_at(json, "/status")) last = line;
        continue;
      }
      case Wait::end_of_output:
        break;
    }
    break;
  }
  if (!line.empty()) last = line;
  const auto status = child->wait_until(Clock::now() + std::chrono::seconds(5));
  if (auto result = read_load_result(Json::parse(last, nullptr, false))) return std::move(*result);
  const std::string words = child->last_words();
  return make_error("the load generator {} without a result{}{}",
                    status ? describe_status(*status) : "closed its output",
                    words.empty() ? "" : ": ", words);
}

}  // namespace muxbench
