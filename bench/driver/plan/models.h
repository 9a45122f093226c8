// The models: every executable file server_* of a folder, as it describes itself.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "json/json.h"

namespace muxbench {

struct Capabilities {
  bool concurrent = true;
  bool workers = false;
  bool program_per_connection = false;
  bool one_client_per_worker = false;  // the others wait
  bool idle_cpu = false;               // it, or a kernel thread of its own, uses a CPU at rest
  std::optional<std::uint64_t> max_connections;
  std::vector<std::string> protocols{"echo"};
  std::vector<std::string> transports{"tcp"};
  std::vector<std::string> work{"none", "spin", "sleep"};
};

struct Model {
  std::string name;
  std::string family;
  std::string mechanism;
  bool available = false;
  std::string reason;                // why it is not available
  std::vector<std::string> command;  // the program and the arguments that come before ours
  bool external = false;             // somebody else's: see driver/external_server.h
  Capabilities capabilities;
  Json description = Json::object();  // what it said, for the report
};

// A program that does not describe itself is a model that is not available, with the reason.
// It is asked on the CPUs that it will run on, as what it chooses may depend on them.
Model describe_model(const std::string& path, const std::vector<int>& cpus);
// The file that it is: of an external one what execvp(3) executes for its first word; empty where
// there is none.
std::string program_of(const Model& model);
// The SHA-256 of each file, by sha256sum(1); without those that cannot be had.
std::map<std::string, std::string> sha256_of(const std::vector<std::string>& files);
// Fails when the folder has no server, or when interrupted.
Result<std::vector<Model>> discover_models(const std::string& folder,
                                           const std::vector<int>& cpus = {});

// Reads the answer to --describe; `file_name` is "server_X".
Model parse_description(std::string_view text, const std::string& file_name);

}  // namespace muxbench
