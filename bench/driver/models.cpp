#include "driver/models.h"

#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <sstream>

#include "base/directory.h"
#include "driver/child_process.h"
#include "driver/interrupt.h"

namespace muxbench {
namespace {

constexpr std::string_view kPrefix = "server_";
constexpr auto kDescribeTimeout = std::chrono::seconds(2);

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// The names that a mistyped one may stand for, else all of them.
std::string suggestions(const std::vector<std::string>& names, const std::string& wanted) {
  std::vector<std::string> close;
  for (const std::string& name : names) {
    const bool part = wanted.size() >= 3 && name.find(wanted) != std::string::npos;
    if (part || edit_distance(name, wanted) <= 1 + wanted.size() / 4) close.push_back(name);
  }
  const bool any_close = !close.empty();
  const auto& shown = any_close ? close : names;
  std::string text;
  for (const std::string& name : shown) text += (text.empty() ? "" : ", ") + name;
  return (any_close ? "did you mean " : "there are ") + text;
}

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
  if (json.contains("max_connections") && !json.at("max_connections").is_null()) {
    capabilities.max_connections = json.at("max_connections").get<std::uint64_t>();
  }
  capabilities.protocols = strings(json, "protocols", capabilities.protocols);
  capabilities.transports = strings(json, "transports", capabilities.transports);
  capabilities.work = strings(json, "work", capabilities.work);
  return capabilities;
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
  const auto answer = [&]() -> Model {
    auto child = ChildProcess::start({.command = {path, "--describe"}, .cpus = cpus});
    if (!child) return unavailable(file_name, child.error().message);
    const auto deadline = Clock::now() + kDescribeTimeout;
    std::string text;
    std::string line;
    Wait wait{};
    while ((wait = child->read_line(line, deadline)) == Wait::line) text += line + '\n';
    text += line;
    if (wait == Wait::timeout) {
      return unavailable(file_name, "its --describe did not end within 2 s");
    }
    return parse_description(text, file_name);
  };
  Model model = answer();
  model.command = {path};
  return model;
}

std::string program_of(const Model& model) {
  if (!model.external) return model.command.front();
  const std::string& command = model.command.front();
  const std::string word = command.substr(0, command.find_first_of(" \t\n"));
  const bool plain = word.find_first_of("'\"\\$`;|&()<>*?[]{}~=#!") == std::string::npos;
  return plain ? find_program(word) : "";
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
    if (interrupted()) return fail("interrupted");
  }
  return models;
}

bool matches_any(const std::string& name, const std::string& patterns) {
  const auto parts = split(patterns);
  return std::any_of(parts.begin(), parts.end(), [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

Result<std::vector<std::size_t>> select_names(const std::vector<std::string>& names,
                                              const std::string& patterns, std::string_view kind) {
  const auto parts = split(patterns);
  if (parts.empty()) {
    return usage_error("no {} is named; {}", kind, suggestions(names, patterns));
  }
  for (const std::string& part : parts) {
    const bool found = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return matches_any(name, part);
    });
    if (!found) {
      return usage_error("there is no {} \"{}\"; {}", kind, part, suggestions(names, part));
    }
  }
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (matches_any(names[i], patterns)) chosen.push_back(i);
  }
  return chosen;
}

}  // namespace muxbench
