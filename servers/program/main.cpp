// The main() of every server: command line, listener, signals, ready line; then the model.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/output.h"
#include "http/document_root.h"
#include "net/socket.h"
#include "processes/child_work.h"
#include "processes/privileges.h"
#include "program/describe.h"
#include "program/parse_options.h"
#include "runtime/model.h"
#include "runtime/stop_signal.h"

namespace muxbench {
namespace {

pid_t server_pid = 0;

std::string program_name() { return fmt::format("server_{}", kModel.name); }

// As many descriptors as we may have: connections are what this is about, and a probe asks the kernel
// for tables of that size. And as many processes, which root is not limited in.
void raise_limits() noexcept {
  for (const auto resource : {RLIMIT_NOFILE, RLIMIT_NPROC}) {
    rlimit limit{};
    ::getrlimit(resource, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(resource, &limit);
  }
}

// SIGUSR1 has no meaning here, but an operator's stray one must not end the server. It is caught
// rather than ignored, so that a test can interrupt any system call with it.
void catch_stray_signals() noexcept {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &action, nullptr);
}

// What the kernel lets this user do: asked by who will serve.
Probe probe() { return kModel.probe != nullptr ? kModel.probe() : Probe{}; }

Result<std::unique_ptr<DocumentRoot>> open_site(const Options& options) {
  if (options.protocol != ProtocolName::http) return std::unique_ptr<DocumentRoot>();
  return DocumentRoot::open(options.root);
}

Result<> describe_model(const Options& options, const std::optional<privileges::User>& user) {
  if (user) {
    if (const auto became = privileges::become(*user); !became) return became;
  }
  print_description(kModel, probe(), options);
  return {};
}

// As whoever started it: the server, which is the user already that it serves as.
Result<> run_handler(const Options& options, std::span<char* const> arguments) {
  const auto site = open_site(options);
  if (!site) return site.error();
  catch_stray_signals();
  stop_signal::adopt_in_child(STDIN_FILENO);
  if (const auto installed = stop_signal::install(-1, {}); !installed) return installed;
  if (const auto joined = counters::join(); !joined) return joined;
  ServerContext server{options, STDIN_FILENO, arguments, site->get()};
  return kModel.inetd_handler(server);
}

// What the user may do who serves from here on.
Result<> check_rights(const Options& options, const DocumentRoot* site) {
  if (site != nullptr) {
    if (const auto readable = site->check(); !readable) return readable;
  }
  if (const auto works = check_child_work(options); !works) return works;
  if (const std::string reason = probe().unavailable_because; !reason.empty()) {
    return Error{fmt::format("this model cannot run here: {}", reason), Exit::unavailable};
  }
  return {};
}

struct RemoveSocketFile {
  ~RemoveSocketFile() { stop_signal::remove_socket_file(); }
};

Result<> run_server(const Options& options, const std::optional<privileges::User>& user,
                    std::span<char* const> arguments) {
  const auto site = open_site(options);
  if (!site) return site.error();
  catch_stray_signals();
  const auto listener = listen_on(options.address, {.backlog = options.backlog});
  if (!listener) return listener.error();
  set_nodelay(listener->get());
  const auto address = Address::of_socket(listener->get());
  if (!address) return address.error();
  if (const auto installed = stop_signal::install(listener->get(), *address); !installed)
    return installed;
  const RemoveSocketFile at_the_end;
  if (const auto opened = open_child_work(options); !opened) return opened;
  if (const auto counted = counters::set_up(options.workers, options.counters_file); !counted) {
    return counted;
  }
  if (user) {
    const std::string file(options.address.is_unix() ? options.address.path() : "");
    if (const auto became = privileges::become(*user, listener->get(), file); !became) {
      return became;
    }
  }
  if (const auto may = check_rights(options, site->get()); !may) return may;

  ServerContext server{options, listener->get(), arguments, site->get()};
  if (*site) server.root_folder = (*site)->descriptor();
  server_pid = ::getpid();
  if (!kModel.says_when_ready) server.ready();
  const Result<> served = serve(server);
  const Result<> counted = counters::write_file();
  return served ? counted : served;
}

Result<> run(int argc, char** argv) {
  const std::span<char* const> arguments(argv, static_cast<std::size_t>(argc));
  const auto options = parse_options(argc, argv);
  if (!options) return options.error();
  if (!options->has_value()) return {};
  if ((*options)->inetd_handler) return run_handler(**options, arguments);
  raise_limits();
  const auto user = privileges::choose_user((*options)->user);
  if (!user) return user.error();
  if ((*options)->describe) return describe_model(**options, *user);
  return run_server(**options, *user, arguments);
}

}  // namespace

void ServerContext::ready() const {
  const unsigned needed = kModel.says_when_ready ? options.workers : 1;
  if (counters::one_more_is_ready() != needed) return;
  if (const auto address = Address::of_socket(listener)) print_ready_line(*address, server_pid);
  flush_output(program_name());
}

}  // namespace muxbench

int main(int argc, char** argv) {
  using namespace muxbench;
  const auto result = run(argc, argv);
  return finish(program_name(), result ? 0 : print_error(program_name(), result.error()));
}
