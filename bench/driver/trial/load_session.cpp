#include "trial/load_session.h"

#include <algorithm>

#include "base/parse.h"
#include "trial/launcher_words.h"

namespace muxbench {
namespace {

std::string join(const std::vector<int>& cpus) { return fmt::format("{}", fmt::join(cpus, ",")); }

std::string as_argument(Nanoseconds duration) { return fmt::format("{}ns", duration.count()); }

}  // namespace

std::optional<Phase> phase_of(const Json& document) {
  const auto name = text_at(document, "/phase");
  if (name == "connected") return Phase::connected;
  if (name == "measuring") return Phase::measuring;
  if (name == "measured") return Phase::measured;
  if (name == "drained") return Phase::drained;
  return {};
}

std::vector<std::string> load_command(const LoadRequest& request) {
  std::vector<std::string> command{request.program};
  if (request.hosts != nullptr) command = request.hosts->command;
  for (const std::string& word : {std::string("--target"), request.target.to_string(),
                                  std::string("--protocol"), request.protocol}) {
    command.push_back(word);
  }
  LoadSettings settings = request.settings;
  const bool http = request.protocol == "http";
  if (http) settings.message_bytes = LoadSettings{}.message_bytes;  // the file has it
  for (std::string& word : arguments_of(settings, Side::load)) {
    command.push_back(std::move(word));
  }
  if (http) {
    command.emplace_back("--path");
    command.emplace_back("/index.html");
  }
  if (!request.target.is_loopback()) command.emplace_back("--allow-remote");
  if (request.hosts == nullptr) {
    const auto threads =
        std::clamp<std::uint64_t>(request.settings.connections, 1, request.cpus.size());
    for (const std::string& word : {std::string("--threads"), std::to_string(threads),
                                    std::string("--cpus"), join(request.cpus)}) {
      command.push_back(word);
    }
    if (http) {  // the files are on this machine
      command.emplace_back("--body-root");
      command.push_back(request.body_root);
    }
  }
  for (const std::string& word :
       {std::string("--warmup"), as_argument(request.warmup), std::string("--duration"),
        as_argument(request.duration), std::string("--json"), std::string("-"),
        std::string("--phases"), std::string("--quiet")}) {
    command.push_back(word);
  }
  return command;
}

Result<LoadSession> LoadSession::start(const LoadRequest& request) {
  const bool remote = request.hosts != nullptr;
  auto child = ChildProcess::start({.command = load_command(request),
                                    .cpus = remote ? std::vector<int>{} : request.cpus,
                                    .network = request.network,
                                    .listens = true,
                                    .grace = std::chrono::seconds(remote ? 10 : 0)});
  if (!child) return child.error();
  return LoadSession(std::move(*child), request);
}

Result<Json> LoadSession::next(Clock::time_point deadline) {
  std::string line;
  // After its result the server may go.
  switch (child_.read_line(line, deadline, last_.empty() ? server_pidfd_ : -1)) {
    case Wait::interrupted:
      return make_error("interrupted");
    case Wait::exited:
      return make_error("the server died while it was under load");
    case Wait::timeout:
      return make_error(
          "the load generator did not end in time; the server may have stopped answering");
    case Wait::end_of_output:
      if (!line.empty()) last_ = line;
      return Json();
    case Wait::line:
      break;
  }
  Json document = Json::parse(line, nullptr, false);
  if (text_at(document, "/status")) last_ = line;
  return document;
}

Result<> LoadSession::await(Phase phase, Clock::time_point deadline) {
  for (;;) {
    const auto document = next(deadline);
    if (!document) return document.error();
    if (phase_of(*document) == phase) return {};
    if (document->is_null()) {
      auto ended = result();
      if (!ended) return ended.error();
      return make_error("{}", load_failure(*ended));
    }
  }
}

Result<LoadResult> LoadSession::result() {
  const auto status =
      child_.wait_until(Clock::now() + std::chrono::seconds(hosts_.empty() ? 5 : 15));
  if (auto result = read_load_result(Json::parse(last_, nullptr, false))) return std::move(*result);
  const std::string words =
      hosts_.empty() ? child_.last_words() : gist_of(child_.error_output(), hosts_);
  return make_error("the load generator {} without a result{}{}",
                    status ? describe_status(*status) : "closed its output",
                    words.empty() ? "" : ": ", words);
}

}  // namespace muxbench
