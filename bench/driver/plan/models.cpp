#include "plan/models.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "base/directory.h"
#include "system/child_process.h"
#include "system/host_files.h"
#include "system/interrupt.h"

namespace muxbench {
namespace {

constexpr std::string_view kPrefix = "server_";
constexpr std::chrono::seconds kDescribeTimeout(10);  // of a machine busy with other work

std::vector<std::string> strings(const Json& json, const char* key,
                                 std::vector<std::string> fallback) {
  if (!json.contains(key)) return fallback;
  return json.at(key).get<std::vector<std::string>>();
}

Capabilities read_capabilities(const Json& json) {
  Capabilities capabilities;
  capabilities.concurrent = json.value("concurrent", true);
  capabilities.workers = json.value("workers", false);
  capabilities.program_per_connection = json.value("program_per_connection", false);
  capabilities.one_client_per_worker = json.value("one_client_per_worker", false);
  capabilities.idle_cpu = json.value("idle_cpu", false);
  if (json.contains("max_connections") && !json.at("max_connections").is_null()) {
    capabilities.max_connections = json.at("max_connections").get<std::uint64_t>();
  }
  capabilities.protocols = strings(json, "protocols", capabilities.protocols);
  capabilities.transports = strings(json, "transports", capabilities.transports);
  capabilities.work = strings(json, "work", capabilities.work);
  return capabilities;
}

// A seccomp filter may kill who makes a call that it forbids.
std::string killed(int status) {
  return fmt::format(
      "its --describe {}{}", describe_status(status),
      WTERMSIG(status) == SIGSYS
          ? "; a seccomp filter of this container or service forbids a call that it makes"
          : "; run it with --describe to see");
}

// A server that root starts serves as nobody. The driver looks into its processes and ends them all
// the same, but for a root without these capabilities, as in many containers: there it stays root.
std::vector<std::string> words_of_user() {
  constexpr std::uint64_t kKill = 5;
  constexpr std::uint64_t kSetGid = 6;
  constexpr std::uint64_t kSetUid = 7;
  constexpr std::uint64_t kSysPtrace = 19;
  constexpr std::uint64_t kNeeded =
      1ULL << kKill | 1ULL << kSetGid | 1ULL << kSetUid | 1ULL << kSysPtrace;
  if (::geteuid() != 0) return {};
  const std::string effective = field_of("/proc/self/status", "CapEff");
  const bool has_all = (std::strtoull(effective.c_str(), nullptr, 16) & kNeeded) == kNeeded;
  return has_all ? std::vector<std::string>{} : std::vector<std::string>{"--user", "root"};
}

Model unavailable(const std::string& file_name, std::string reason) {
  Model model;
  model.name = file_name.substr(std::min(file_name.size(), kPrefix.size()));
  model.reason = std::move(reason);
  return model;
}

}  // namespace

Model parse_description(std::string_view text, const std::string& file_name) {
  try {
    const Json json = Json::parse(text);
    Model model;
    model.name = json.at("name").get<std::string>();
    if (std::string(kPrefix) + model.name != file_name) {
      return unavailable(file_name,
                         fmt::format("its --describe calls it \"{}\"; the program must be called "
                                     "{}{}",
                                     model.name, kPrefix, model.name));
    }
    model.family = json.value("family", "");
    model.mechanism = json.value("mechanism", "");
    model.available = json.at("available").get<bool>();
    if (!model.available) model.reason = json.value("reason", "it says that it is not available");
    if (json.contains("capabilities")) {
      model.capabilities = read_capabilities(json.at("capabilities"));
    }
    if (json.contains("/features/sq_thread_cpu"_json_pointer)) model.capabilities.idle_cpu = true;
    model.description = json;
    return model;
  } catch (const Json::exception&) {
    return unavailable(file_name,
                       "its --describe does not print the one JSON object that docs/models.md asks "
                       "for; run it with --describe to see");
  }
}

Model describe_model(const std::string& path, const std::vector<int>& cpus) {
  const std::string file_name = std::filesystem::path(path).filename().string();
  std::vector<std::string> command{path};
  for (std::string& word : words_of_user()) command.push_back(std::move(word));
  const auto answer = [&]() -> Model {
    SpawnOptions spawn{.command = command, .cpus = cpus};
    spawn.command.emplace_back("--describe");
    auto child = ChildProcess::start(spawn);
    if (!child) return unavailable(file_name, child.error().message);
    const auto deadline = Clock::now() + kDescribeTimeout;
    std::string text;
    std::string line;
    Wait wait{};
    while ((wait = child->read_line(line, deadline)) == Wait::line) text += line + '\n';
    text += line;
    if (wait == Wait::timeout) {
      return unavailable(file_name, fmt::format("its --describe did not end within {} s",
                                                kDescribeTimeout.count()));
    }
    const auto status = child->wait_until(deadline);
    if (status && WIFSIGNALED(*status)) {
      return unavailable(file_name, killed(*status));
    }
    return parse_description(text, file_name);
  };
  Model model = answer();
  model.command = std::move(command);
  return model;
}

std::string program_of(const Model& model) {
  return model.external ? find_program(model.command.front()) : model.command.front();
}

std::map<std::string, std::string> sha256_of(const std::vector<std::string>& files) {
  SpawnOptions spawn{.command = {"/usr/bin/sha256sum", "--"}};
  spawn.command.insert(spawn.command.end(), files.begin(), files.end());
  std::map<std::string, std::string> sums;
  auto child = ChildProcess::start(spawn);
  if (!child) return sums;
  constexpr std::size_t kDigits = 64;
  const auto deadline = Clock::now() + std::chrono::seconds(10);
  for (std::string line; child->read_line(line, deadline) == Wait::line;) {
    // "DIGITS  FILE"
    if (line.size() > kDigits + 2) sums[line.substr(kDigits + 2)] = line.substr(0, kDigits);
  }
  return sums;
}

Result<std::vector<Model>> discover_models(const std::string& folder,
                                           const std::vector<int>& cpus) {
  if (::access(folder.c_str(), R_OK | X_OK) != 0 && errno != ENOENT) {
    return usage_error("cannot look into {}: {}; name the servers' folder with --servers-dir",
                       folder, describe(last_errno()));
  }
  std::vector<std::string> paths;
  for (const std::string& name : names_in(folder)) {
    std::string path = folder + "/" + name;
    std::error_code error;
    const bool is_file = std::filesystem::is_regular_file(path, error);
    if (name.starts_with(kPrefix) && is_file && ::access(path.c_str(), X_OK) == 0) {
      paths.push_back(std::move(path));
    }
  }
  if (paths.empty()) {
    return usage_error(
        "there is no program {}* in {}; build the servers, or name their folder "
        "with --servers-dir",
        kPrefix, folder);
  }
  std::vector<Model> models;
  for (const std::string& path : paths) {
    models.push_back(describe_model(path, cpus));
    if (interrupted()) return make_error("interrupted");
  }
  return models;
}

}  // namespace muxbench
