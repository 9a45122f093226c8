#include "trial/server_process.h"

#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "base/format.h"
#include "plan/external_server.h"
#include "system/interrupt.h"
#include "trial/check_client.h"

namespace muxbench {
namespace {

// Both allow for a machine that is busy with other work; the contract says 1 s for a stop.
constexpr std::chrono::seconds kReadyTimeout(10);
constexpr std::chrono::seconds kStopTimeout(5);

std::string with_last_words(std::string sentence, const ChildProcess& child) {
  const std::string words = child.last_words();
  return words.empty() ? sentence : sentence + ": " + words;
}

// The command line of the server contract.
std::vector<std::string> contract_command(const Model& model, const ServerOptions& options) {
  std::vector<std::string> command = model.command;
  const std::string socket = options.scratch + "/server.sock";
  const bool local = options.transport == "unix";
  if (local) ::unlink(socket.c_str());
  for (const std::string& word :
       {std::string("--listen"), local ? "unix:" + socket : options.listen + ":0",
        std::string("--protocol"), options.protocol}) {
    command.push_back(word);
  }
  if (!local && options.listen != ServerOptions().listen) command.emplace_back("--allow-remote");
  if (!options.root.empty()) {
    command.emplace_back("--root");
    command.push_back(options.root);
  }
  command.insert(command.end(), options.extra.begin(), options.extra.end());
  return command;
}

// The kernel's choice. Between here and the server's bind(2) another program could take it, but not
// in a private network.
Result<Address> free_address(const std::string& listen) {
  const auto any = Address::parse(listen + ":0");
  if (!any) return any.error();
  const UniqueFd fd(::socket(any->family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd || ::bind(fd.get(), any->data(), any->size()) != 0) {
    return make_error("no free port: {}", describe(last_errno()));
  }
  return Address::of_socket(fd.get());
}

// How often the kernel has killed a process because memory ran out, here or in some container.
std::uint64_t oom_kills() {
  std::ifstream file("/proc/vmstat");
  std::uint64_t value = 0;
  for (std::string key; file >> key >> value;) {
    if (key == "oom_kill") return value;
  }
  return 0;
}

}  // namespace

Result<ServerProcess> ServerProcess::start(const Model& model, const ServerOptions& options) {
  SpawnOptions spawn;
  std::optional<Address> address;  // known before only of an external server
  if (model.external) {
    const auto found = free_address(options.listen);
    if (!found) return found.error();
    address = *found;
    const std::string port = std::to_string(found->port());
    for (const std::string& word : model.command) {
      spawn.command.push_back(replaced(replaced(word, "{port}", port), "{root}", options.root));
    }
    if (auto program = program_of(model); !program.empty()) spawn.command.front() = program;
  } else {
    spawn.command = contract_command(model, options);
  }
  spawn.cpus = options.cpus;
  spawn.memory_limit = options.memory_limit;
  spawn.expendable = true;
  disregard_orphans();
  auto group = Cgroup::make();
  if (group) spawn.cgroup_procs = group->procs_fd();
  const std::uint64_t kills_before = oom_kills();
  auto child = ChildProcess::start(spawn);
  if (!child) return child.error();
  ServerProcess server(std::move(*child));
  server.command_ = spawn.command;
  server.external_ = model.external;
  server.memory_limit_ = options.memory_limit;
  server.oom_kills_ = kills_before;
  if (group) server.group_ = std::make_unique<Cgroup>(std::move(*group));
  server.watched_ = {server.group_.get(), server.child_->pid()};
  if (address) server.address_ = *address;
  const auto ready = address ? server.wait_until_it_accepts() : server.wait_until_ready();
  if (!ready) {
    server.kill_now();
    return ready.error();
  }
  return server;
}

Result<> ServerProcess::wait_until_it_accepts() {
  const auto deadline = Clock::now() + kReadyTimeout;
  while (Clock::now() < deadline) {
    if (CheckClient::connect(address_)) return {};
    if (interrupted()) return make_error("interrupted");
    if (const auto died = death("before it accepted a connection")) return make_error("{}", *died);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return make_error("{}",
                    with_last_words(fmt::format("the server did not accept connections at {} "
                                                "within {} s; start its command by hand to see why",
                                                address_.to_string(), kReadyTimeout.count()),
                                    *child_));
}

Result<> ServerProcess::wait_until_ready() {
  const auto deadline = Clock::now() + kReadyTimeout;
  std::string line;
  switch (child_->read_line(line, deadline)) {
    case Wait::line:
      break;
    case Wait::interrupted:
      return make_error("interrupted");
    case Wait::timeout:
      return make_error(
          "{}", with_last_words(fmt::format("the server did not print its ready line within {} s; "
                                            "start it by hand to see what it waits for",
                                            kReadyTimeout.count()),
                                *child_));
    default:
      // The pipe is closed a moment before the process has ended.
      child_->wait_until(Clock::now() + std::chrono::seconds(1));
      return make_error("{}", death("before it was ready")
                                  .value_or("the server closed its output before it was ready"));
  }
  const Json ready = Json::parse(line, nullptr, false);
  const auto where = text_at(ready, "/address");
  if (!where) {
    return make_error("the server's first line is not a ready line but \"{}\"",
                      line.substr(0, 120));
  }
  auto address = Address::parse(*where);
  if (!address) return address.error();
  address_ = *address;
  return {};
}

std::optional<std::string> ServerProcess::death(std::string_view when) {
  const auto status = child_->wait_until(Clock::now());
  if (!status) return {};
  return with_last_words(fmt::format("the server {}{}{}{}", describe_status(*status),
                                     when.empty() ? "" : " ", when, about_memory()),
                         *child_);
}

// Was it memory that it died of? Who dies at a limit does so in ways of his own.
std::string ServerProcess::about_memory() const {
  const std::uint64_t used = child_->peak_resident_bytes();
  if (memory_limit_ != 0 && used >= memory_limit_ / 2) {
    return fmt::format(
        ", with up to {} resident, where --server-memory lets each of its processes have {} of "
        "data",
        format_bytes(static_cast<double>(used)), format_bytes(static_cast<double>(memory_limit_)));
  }
  if (oom_kills() > oom_kills_) {
    return fmt::format(
        ", and the kernel had killed a process because memory ran out (it had used {})",
        format_bytes(static_cast<double>(used)));
  }
  return "";
}

Result<> ServerProcess::stop() {
  if (const auto died = death()) {
    kill_now();
    return make_error("{}", *died);
  }
  ::kill(child_->pid(), SIGTERM);
  const auto status = child_->wait_until(Clock::now() + kStopTimeout);
  std::string broken;
  if (!status) {
    broken = fmt::format("the server ignored SIGTERM: it still ran {} s later and was killed",
                         kStopTimeout.count());
  } else if (*status != 0 && !(external_ && *status == SIGTERM)) {
    broken =
        with_last_words(fmt::format("the server {} at SIGTERM instead of exiting with status 0",
                                    describe_status(*status)),
                        *child_);
  } else {
    std::size_t left = 0;
    for (const pid_t pid : usage().processes()) {
      left += pid != child_->pid() && is_living(pid) ? 1 : 0;
    }
    if (left != 0) {
      broken = fmt::format(
          "the server left {} of its processes behind at SIGTERM; they were "
          "killed",
          left);
    }
  }
  kill_now();
  if (!broken.empty()) return make_error("{}", broken);
  return {};
}

// Until none is left, as those that are found may start more.
void ServerProcess::kill_processes() {
  const auto deadline = Clock::now() + std::chrono::seconds(5);
  for (bool any = true; any && Clock::now() < deadline;) {
    any = false;
    for (const pid_t pid : usage().processes()) {
      if (!is_living(pid)) continue;
      any = true;
      ::kill(pid, SIGKILL);
    }
    if (any) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void ServerProcess::kill_now() {
  if (group_) group_->kill_all();
  child_->signal_group(SIGKILL);
  if (!group_) kill_processes();
  child_->wait_until(Clock::now() + std::chrono::seconds(5));
  if (address_.is_unix()) ::unlink(std::string(address_.path()).c_str());
}

}  // namespace muxbench
