// The main() of every server: command line, listener, signals, ready line; then the model.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/output.h"
#include "common/describe.h"
#include "common/document_root.h"
#include "common/model.h"
#include "common/stop_signal.h"
#include "common/work.h"
#include "net/socket.h"

namespace muxbench {
namespace {

pid_t server_pid = 0;

std::string program_name() { return fmt::format("server_{}", kModel.name); }

// As many descriptors as we may have: connections are what this is about, and a probe asks the kernel
// for tables of that size.
void raise_descriptor_limit() noexcept {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// SIGUSR1 has no meaning here, but an operator's stray one must not end the server. It is caught
// rather than ignored, so that a test can interrupt any system call with it.
void catch_stray_signals() noexcept {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &action, nullptr);
}

Result<> run(int argc, char** argv) {
  const std::span<char* const> arguments(argv, static_cast<std::size_t>(argc));
  const auto options = parse_options(argc, argv);
  if (!options) return options.error();
  if (!options->has_value()) return {};

  raise_descriptor_limit();
  const Probe probe = kModel.probe != nullptr ? kModel.probe() : Probe{};
  if ((*options)->describe) {
    print_description(kModel, probe, **options);
    return {};
  }
  if (!probe.unavailable_because.empty()) {
    return Error{fmt::format("this model cannot run here: {}", probe.unavailable_because),
                 Exit::unavailable};
  }

  std::unique_ptr<DocumentRoot> site;
  if ((*options)->protocol == ProtocolName::http) {
    auto opened = DocumentRoot::open((*options)->root);
    if (!opened) return opened.error();
    site = std::move(*opened);
  }

  catch_stray_signals();
  if ((*options)->inetd_handler) {
    stop_signal::adopt_in_child(STDIN_FILENO);
    if (const auto installed = stop_signal::install(-1, {}); !installed) return installed;
    if (const auto joined = counters::join(); !joined) return joined;
    ServerContext server{**options, STDIN_FILENO, arguments, site.get()};
    return kModel.inetd_handler(server);
  }

  const auto listener = listen_on((*options)->address, {.backlog = (*options)->backlog});
  if (!listener) return listener.error();
  set_nodelay(listener->get());
  const auto address = Address::of_socket(listener->get());
  if (!address) return address.error();
  if (const auto installed = stop_signal::install(listener->get(), *address); !installed)
    return installed;

  if (const auto counted = counters::set_up((*options)->workers, (*options)->counters_file);
      !counted) {
    return counted;
  }

  ServerContext server{**options, listener->get(), arguments, site.get()};
  server_pid = ::getpid();
  if (!kModel.says_when_ready) server.ready();
  const Result<> served = serve(server);
  counters::write_file();
  stop_signal::remove_socket_file();
  return served;
}

}  // namespace

void ServerContext::ready() const {
  const unsigned needed = kModel.says_when_ready ? options.workers : 1;
  if (counters::one_more_is_ready() != needed) return;
  if (const auto address = Address::of_socket(listener)) print_ready_line(*address, server_pid);
  flush_output(program_name());
}

SessionContext ServerContext::new_session_context() const {
  SessionContext context;
  if (options.protocol == ProtocolName::greet) context.protocol = Greet();
  if (options.protocol == ProtocolName::http) context.protocol = Http(*site);
  context.on_request = make_request_hook(options.work.spin);
  context.holds_answers = options.work.child;
  return context;
}

}  // namespace muxbench

int main(int argc, char** argv) {
  using namespace muxbench;
  const auto result = run(argc, argv);
  return finish(program_name(), result ? 0 : print_error(program_name(), result.error()));
}
