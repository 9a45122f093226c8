// One running server under test: started by the contract (ready line), stopped by it (SIGTERM,
// exit 0 within 1 s), and gone for certain afterwards.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/address.h"
#include "plan/models.h"
#include "system/child_process.h"
#include "system/counting/syscall_counter.h"
#include "system/server_usage.h"

namespace muxbench {

struct ServerOptions {
  std::string protocol = "echo";
  std::string transport = "tcp";
  std::string listen = "127.0.0.1";  // of tcp: the address, without its port
  std::string scratch;  // a folder of this run: the socket file and the http root lie there
  std::string root;     // for http
  std::vector<int> cpus;
  std::vector<std::string> extra;  // further arguments
  std::uint64_t memory_limit = 0;  // of each process; 0: none
};

class ServerProcess {
 public:
  static Result<ServerProcess> start(const Model& model, const ServerOptions& options);

  const Address& address() const noexcept { return address_; }
  const std::vector<std::string>& command() const noexcept { return command_; }
  int pidfd() const noexcept { return child_->pidfd(); }
  pid_t pid() const noexcept { return child_->pid(); }
  ServerUsage usage() const noexcept { return {group_.get(), child_->pid()}; }
  const WatchedProcesses* group() const noexcept { return &watched_; }  // for a SyscallCounter

  void wait_for_its_end(Nanoseconds at_most) { child_->wait_until(Clock::now() + at_most); }
  // "the server was killed by SIGSEGV while it was verified: its last words", where `when` is that
  // "while ..."; or nothing while it lives.
  std::optional<std::string> death(std::string_view when = "");
  // SIGTERM; an error tells how it broke the contract. Nothing runs afterwards.
  Result<> stop();
  void kill_now();

 private:
  explicit ServerProcess(ChildProcess child)
      : child_(std::make_unique<ChildProcess>(std::move(child))) {}
  Result<> wait_until_ready();
  void kill_processes();
  Result<> wait_until_it_accepts();  // of an external server

  std::unique_ptr<Cgroup> group_;  // outlives the child, so that its members can be counted
  std::unique_ptr<ChildProcess> child_;
  Address address_;
  std::string about_memory() const;

  bool external_ = false;  // killed by SIGTERM is a good end, too
  std::uint64_t memory_limit_ = 0;
  std::uint64_t oom_kills_ = 0;  // of the whole machine, when it began
  std::vector<std::string> command_;
  WatchedProcesses watched_;
};

}  // namespace muxbench
