#include "plan/load_hosts.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "net/interface.h"
#include "net/socket.h"
#include "plan/command_words.h"
#include "system/child_process.h"

namespace muxbench {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

constexpr const char* kSshOptions = "-o BatchMode=yes -o ConnectTimeout=10";

void add_words(Words& words, std::initializer_list<std::string> more) {
  words.insert(words.end(), more.begin(), more.end());
}

bool has_word(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Open MPI's hostfile and Slurm's: the first word of a line, "#" begins a comment.
Result<Words> hosts_in_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return usage_error("--load-hostfile: cannot read {}: {}", path, describe(last_errno()));
  }
  Words hosts;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    if (std::string host; words >> host) hosts.push_back(host);
  }
  return hosts;
}

Result<Words> read_hosts(const LoadHostsRequest& request) {
  if (!request.hosts.empty() && !request.hostfile.empty()) {
    return usage_error("give either --load-hosts or --load-hostfile, not both");
  }
  Words hosts;
  if (!request.hostfile.empty()) {
    auto read = hosts_in_file(request.hostfile);
    if (!read) return read.error();
    hosts = std::move(*read);
  } else {
    std::istringstream list(request.hosts);
    for (std::string host; std::getline(list, host, ',');) hosts.push_back(host);
  }
  const char* const option = request.hosts.empty() ? "--load-hostfile" : "--load-hosts";
  std::set<std::string> seen;
  for (const std::string& host : hosts) {
    const bool odd =
        host.empty() || host.front() == '-' || host.find_first_of(" \t:;'\"") != std::string::npos;
    if (odd) return usage_error("{}: \"{}\" is no host; write a,b,c", option, host);
    if (!seen.insert(host).second) {
      return usage_error("{} names {} twice; one process on each host is enough", option, host);
    }
  }
  if (hosts.empty()) return usage_error("{} names no host; write a,b,c", option);
  return hosts;
}

// As in an address: an IPv6 one in brackets.
std::string host_part(const std::string& listen) {
  return listen.find(':') != std::string::npos && listen.front() != '[' ? "[" + listen + "]"
                                                                        : listen;
}

// The address, with a port of the kernel's choice.
Result<Address> check_listen(const std::string& listen) {
  if (listen.empty()) {
    return usage_error(
        "--load-hosts needs --listen ADDRESS: an address of this machine that the load hosts can "
        "reach");
  }
  const auto address = Address::parse(host_part(listen) + ":0");
  if (!address) {
    return usage_error("--listen {} is no numeric address without a port, such as 10.0.0.5",
                       listen);
  }
  if (address->is_loopback()) {
    return usage_error(
        "--listen {} cannot be reached from other machines; give the address of the interface that "
        "leads to the load hosts (ip address)",
        listen);
  }
  if (!listen_on(*address, {})) {
    return usage_error("--listen {} is not an address of this machine; ip address lists those",
                       listen);
  }
  return *address;
}

Result<Words> words_of(const std::string& text) {
  auto words = split_words(text);
  if (!words) return usage_error("--launcher {}: this is no command", text);
  return std::move(*words);
}

std::optional<std::string> in_path(const std::string& program) {
  if (program.find('/') != std::string::npos) {
    if (::access(program.c_str(), X_OK) != 0) return {};
    std::error_code error;
    return fs::absolute(program, error).string();
  }
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = folder + "/" + program;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

// What it prints, in one text.
std::string output_of(const Words& command) {
  auto child = ChildProcess::start({.command = command});
  if (!child) return {};
  const auto deadline = Clock::now() + std::chrono::seconds(10);
  std::string all;
  std::string line;
  while (child->read_line(line, deadline) == Wait::line) all += line + "\n";
  return all + line;
}

// What the user has set of Open MPI's parameters: in the command, else in the environment.
std::optional<std::string> parameter(const Words& words, const std::string& name) {
  for (std::size_t i = 0; i + 2 < words.size(); ++i) {
    if (words[i].ends_with("-mca") && words[i + 1] == name) return words[i + 2];
  }
  const char* const value = std::getenv(("OMPI_MCA_" + name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// No one is there to answer a password prompt. Of an option that is given twice ssh takes the first, so
// the user's own come first.
void add_ssh_options(Words& words) {
  const auto agent = split_words(parameter(words, "plm_rsh_agent").value_or("ssh"));
  if (!agent || fs::path(agent->front()).filename() != "ssh") return;
  const std::string own = parameter(words, "plm_rsh_args").value_or("");
  const std::string all = own + (own.empty() ? "" : " ") + kSshOptions;
  const auto given = std::find(words.begin(), words.end(), "plm_rsh_args");
  if (given != words.end() && given + 1 != words.end()) {
    *(given + 1) = all;
  } else {
    add_words(words, {"--mca", "plm_rsh_args", all});
  }
}

void add_open_mpi(const Words& hosts, const std::string& network, Words& words) {
  if (::geteuid() == 0) add_words(words, {"--allow-run-as-root"});
  std::string list;
  for (const std::string& host : hosts) list += (list.empty() ? "" : ",") + host + ":1";
  // All CPUs of a host are the load generator's, and no host need have the folder that we are in.
  add_words(words, {"--host", list, "-np", std::to_string(hosts.size()), "--map-by", "node",
                    "--bind-to", "none", "--wdir", "/"});
  add_ssh_options(words);
  // What the user has chosen is left alone.
  if (!has_word(words, "pml")) add_words(words, {"--mca", "pml", "ob1"});
  if (!has_word(words, "btl")) add_words(words, {"--mca", "btl", "tcp,self"});
  // Its daemons end with their processes when the network has been silent for that long, in seconds and
  // tries: by themselves after 8 minutes.
  for (const auto& [name, value] : {std::pair{"oob_tcp_keepalive_time", "10"},
                                    {"oob_tcp_keepalive_intvl", "5"},
                                    {"oob_tcp_keepalive_probes", "3"}}) {
    if (!has_word(words, name)) add_words(words, {"--mca", name, value});
  }
  // Of several networks of a host Open MPI may choose one that does not lead here.
  for (const char* const of : {"oob_tcp_if_include", "btl_tcp_if_include"}) {
    if (!network.empty() && !has_word(words, of)) add_words(words, {"--mca", of, network});
  }
}

// MPICH's own: its options of ssh are in the environment.
void add_hydra(const Words& hosts, Words& words) {
  add_words(words, {"-hosts", fmt::format("{}", fmt::join(hosts, ",")), "-ppn", "1", "-n",
                    std::to_string(hosts.size()), "-wdir", "/"});
  const bool own_agent = has_word(words, "-launcher-exec") || has_word(words, "-bootstrap-exec") ||
                         std::getenv("HYDRA_LAUNCHER_EXEC") != nullptr;
  if (own_agent) return;
  const char* const own = std::getenv("HYDRA_LAUNCHER_EXTRA_ARGS");
  words.insert(words.begin(),
               {"/usr/bin/env", fmt::format("HYDRA_LAUNCHER_EXTRA_ARGS={}{}{}", own ? own : "",
                                            own ? " " : "", kSshOptions)});
}

Words add_hosts(const Words& launcher, const Words& hosts, const std::string& network) {
  Words words = launcher;
  const std::string name = fs::path(words.front()).filename();
  if (name == "srun") {
    const std::string list = fmt::format("{}", fmt::join(hosts, ","));
    const std::string count = std::to_string(hosts.size());
    add_words(words, {"--nodelist", list, "--nodes", count, "--ntasks", count, "--ntasks-per-node",
                      "1", "--cpu-bind=none", "--kill-on-bad-exit=1", "--chdir", "/"});
  } else if (output_of({words.front(), "--version"}).find("HYDRA") != std::string::npos) {
    add_hydra(hosts, words);
  } else {
    add_open_mpi(hosts, network, words);
  }
  return words;
}

Result<Words> find_launcher(const std::string& text) {
  auto words = words_of(text);
  if (!words) return words.error();
  const auto program = in_path(words->front());
  if (!program) {
    return Error{
        fmt::format("there is no {} to start the load hosts with: apt-get install {}, or "
                    "name another with --launcher",
                    words->front(), words->front() == "srun" ? "slurm-client" : "openmpi-bin"),
        Exit::unavailable};
  }
  words->front() = *program;
  return words;
}

Result<LoadHosts> for_hosts(const LoadHostsRequest& request, const Address& address, Words hosts) {
  auto launcher = find_launcher(request.launcher);
  if (!launcher) return launcher.error();
  std::error_code error;
  const std::string program = fs::absolute(request.program, error).string();
  if (::access(program.c_str(), X_OK) != 0) {
    return Error{fmt::format("there is no {}, the load generator for many hosts: apt-get install "
                             "libopenmpi-dev and build again, or name it with --loadgen-mpi",
                             program),
                 Exit::unavailable};
  }
  const auto interface = interface_of(address);
  Words command = add_hosts(*launcher, hosts, interface ? interface->network : "");
  command.push_back(program);
  return LoadHosts{.names = std::move(hosts),
                   .listen = host_part(request.listen),
                   .command = std::move(command)};
}

}  // namespace

Result<LoadHosts> find_load_hosts(const LoadHostsRequest& request) {
  auto hosts = read_hosts(request);
  if (!hosts) return hosts.error();
  const auto address = check_listen(request.listen);
  if (!address) return address.error();
  return for_hosts(request, *address, std::move(*hosts));
}

Result<LoadHosts> only(const LoadHosts& all, const LoadHostsRequest& request,
                       const std::string& host) {
  const auto address = Address::parse(all.listen + ":0");
  if (!address) return address.error();
  return for_hosts(request, *address, {host});
}

}  // namespace muxbench
