#include "processes/worker_group.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <system_error>
#include <thread>

#include "processes/children.h"
#include "runtime/stop_signal.h"

namespace muxbench {
namespace {

// The remainder of --max-connections goes to the first workers, so that the sum is exact.
std::size_t share_of(std::size_t max_connections, unsigned workers, unsigned worker) {
  if (max_connections == SIZE_MAX) return SIZE_MAX;
  return max_connections / workers + (worker < max_connections % workers ? 1 : 0);
}

// The calling thread to the n-th CPU that it may run on, round and round.
void pin_to(unsigned worker) {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  unsigned skip = worker % static_cast<unsigned>(CPU_COUNT(&allowed));
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || skip-- != 0) continue;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    ::sched_setaffinity(0, sizeof only, &only);
    return;
  }
}

Result<> run_worker(const ServerContext& server, unsigned number, const ServeAsWorker& serve) {
  Options options = server.options;
  options.max_connections = share_of(options.max_connections, options.workers, number);
  if (options.pin_workers) pin_to(number);
  run_as_worker(number);
  ServerContext worker = server.for_worker(number, options);
  return serve(worker);
}

[[noreturn]] void run_child(const ServerContext& server, unsigned number,
                            const ServeAsWorker& serve) {
  const Result<> served = run_worker(server, number, serve);
  if (served) ::_exit(0);
  ::_exit(print_error(fmt::format("server_{}, worker {}", kModel.name, number), served.error()));
}

std::string how_it_ended(int status) {
  if (!WIFSIGNALED(status)) return fmt::format("exited with status {}", WEXITSTATUS(status));
  return fmt::format("was killed by SIG{}", ::sigabbrev_np(WTERMSIG(status)));
}

// Until the stop signal, or until a child has ended. The signals are blocked except while it
// sleeps: one that comes between the check and the wait would be slept through otherwise.
void wait_for_signal_or_end(std::size_t children_started, const WaitAsParent& wait) {
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  for (const int number : {SIGTERM, SIGINT, SIGCHLD}) ::sigaddset(&blocked, number);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  while (!stop_signal::requested() && children::running() == children_started) {
    wait ? wait(before) : static_cast<void>(::sigsuspend(&before));
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

Result<> run_worker_processes(const ServerContext& server, const ServeAsWorker& serve,
                              const WaitAsParent& wait) {
  const unsigned workers = server.options.workers;
  children::reap_as_they_end();
  for (unsigned number = 0; number < workers; ++number) {
    const pid_t child = children::start();
    if (child == 0) run_child(server, number, serve);
    if (child > 0) continue;
    const Errno error = last_errno();
    children::stop_all(SIGKILL);
    return make_error("cannot start worker process {} of {}: {}; ask for fewer with --workers",
                      number + 1, workers, describe(error));
  }
  wait_for_signal_or_end(workers, wait);
  if (stop_signal::requested()) {
    children::stop_all(SIGTERM);
    return {};
  }
  // No grace for the others: half a server would be measured as if it were whole.
  const std::string how = how_it_ended(children::last_status());
  children::stop_all(SIGKILL);
  return make_error(
      "a worker process {}, so the server stops; see what it printed, or the kernel's log", how);
}

Result<> run_worker_threads(const ServerContext& server, const ServeAsWorker& serve,
                            const Meanwhile& meanwhile) {
  const unsigned workers = server.options.workers;
  std::vector<Result<>> results(workers);
  Result<> started;
  Result<> done_meanwhile;
  {
    std::vector<std::jthread> threads;
    threads.reserve(workers);
    try {
      for (unsigned number = 0; number < workers; ++number) {
        threads.emplace_back([&, number] {
          stop_signal::leave_to_main_thread();
          results[number] = run_worker(server, number, serve);
          if (!results[number]) stop_signal::request();  // the others must not go on alone
        });
      }
    } catch (const std::system_error& error) {
      started = make_error("cannot start worker thread {} of {}: {}; ask for fewer with --workers",
                           threads.size() + 1, workers, error.code().message());
      stop_signal::request();
    }
    if (meanwhile) done_meanwhile = meanwhile(threads.size());
    if (!done_meanwhile) stop_signal::request();
  }
  if (!started) return started;
  if (!done_meanwhile) return done_meanwhile;
  for (Result<>& result : results) {
    if (!result) return result;
  }
  return {};
}

}  // namespace muxbench
