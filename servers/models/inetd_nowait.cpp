// A program for each connection: accept, fork and exec a handler that finds the socket as its
// standard input and output, as inetd's nowait services run.
// Syscalls per request: 1 recv, 1 send; per connection a fork, an execve and the start of a program
// (about 100 calls of the dynamic linker).
// Limit: starting a program costs milliseconds, and the handler shares nothing with the next one.
#include <fcntl.h>
#include <signal.h>

#include <cstdio>

#include "base/unique_fd.h"
#include "blocking/converse.h"
#include "blocking/pauses.h"
#include "net/sys.h"
#include "processes/children.h"
#include "runtime/accept_throttle.h"
#include "runtime/model.h"
#include "runtime/stop_signal.h"

namespace muxbench {
namespace {

// Signals wait across the exec: it resets their handlers, and what comes before the program has
// installed its own would end it with a request in flight.
void block_signals() noexcept {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
}
void unblock_signals() noexcept {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// The handler: this program again, started with --inetd-handler.
Result<> handle(ServerContext& server) {
  unblock_signals();
  set_io_timeout(STDIN_FILENO, server.options.idle_timeout);
  SessionContext sessions = server.new_session_context();
  Session session(sessions);
  converse(STDIN_FILENO, session, server.options.idle_timeout);
  server.counters().requests += sessions.requests;  // other handlers add theirs at the same time
  ::_exit(0);  // the end of the process frees all, and each connection pays for it
}

}  // namespace

const ModelInfo kModel{.name = "inetd_nowait",
                       .family = "process",
                       .mechanism = "accept, fork and exec a handler, blocking recv and send",
                       .capabilities = {.program_per_connection = true},
                       .inetd_handler = handle};

namespace {

class InetdNowait {
 public:
  explicit InetdNowait(const ServerContext& server)
      : server_(server), throttle_(server.options.max_connections) {
    for (std::size_t i = 0; i < server.arguments.size(); ++i) {
      const std::string_view word = server.arguments[i];
      if (word == "--root") ++i;
      if (!word.starts_with("--root")) arguments_.push_back(server.arguments[i]);
    }
    if (server.root_folder >= 0) {
      // Its path may lead through folders that only root can enter, which the handler is not.
      root_.reset(::fcntl(server.root_folder, F_DUPFD_CLOEXEC, counters::kFirstFreeInProgram));
      root_option_ = fmt::format("--root=/proc/self/fd/{}", root_.get());
      arguments_.push_back(root_option_.data());
    }
    static char handler_flag[] = "--inetd-handler";
    arguments_.push_back(handler_flag);
    arguments_.push_back(nullptr);
  }

  void run() {
    children::reap_as_they_end();
    while (!stop_signal::requested()) {
      if (!throttle_.may_accept(children::running())) {
        sleep_briefly();
        continue;
      }
      const IoResult accepted = sys::accept(server_.listener);
      if (!accepted.ok()) {
        throttle_.on_error(accepted.error());
        continue;
      }
      count(server_.counters().accepted);
      const UniqueFd connection(accepted.fd());
      block_signals();
      const pid_t child = children::start();
      if (child == 0) exec_handler(connection.get());
      unblock_signals();
      if (child < 0) throttle_.pause();  // too many processes: this connection is shed
    }
    children::stop_all();
  }

 private:
  // Every other descriptor is close-on-exec; of those that the handler shall have that is cleared.
  [[noreturn]] void exec_handler(int fd) {
    ::dup2(fd, STDIN_FILENO);
    ::dup2(fd, STDOUT_FILENO);
    if (root_) ::fcntl(root_.get(), F_SETFD, 0);
    counters::share_with_program();
    ::execv("/proc/self/exe", arguments_.data());
    std::perror("cannot start the handler");
    ::_exit(1);
  }

  const ServerContext& server_;
  AcceptThrottle throttle_;
  UniqueFd root_;
  std::string root_option_;
  std::vector<char*> arguments_;  // our own, and what makes it a handler
};

}  // namespace

Result<> serve(ServerContext& server) {
  InetdNowait(server).run();
  return {};
}

}  // namespace muxbench
