// The main() of every server: command line, listener, signals, ready line; then the model.
#include <sys/resource.h>

#include "common/describe.h"
#include "common/model.h"
#include "common/stop_signal.h"
#include "common/work.h"
#include "net/socket.h"

namespace muxbench {
namespace {

// As many descriptors as we may have: connections are what this is about.
void raise_descriptor_limit() noexcept {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<> run(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) return options.error();
  if (!options->has_value()) return {};

  const Probe probe = kModel.probe != nullptr ? kModel.probe() : Probe{};
  if ((*options)->describe) {
    print_description(kModel, probe);
    return {};
  }
  if (!probe.unavailable_because.empty()) {
    return Error{fmt::format("this model cannot run here: {}", probe.unavailable_because),
                 Exit::unavailable};
  }

  raise_descriptor_limit();
  const auto listener = listen_on((*options)->address, {.backlog = (*options)->backlog});
  if (!listener) return listener.error();
  set_nodelay(listener->get());
  const auto address = Address::of_socket(listener->get());
  if (!address) return address.error();
  if (const auto installed = stop_signal::install(listener->get(), *address); !installed)
    return installed;

  ServerContext server{**options, listener->get()};
  print_ready_line(*address);
  const Result<> served = serve(server);
  stop_signal::remove_socket_file();
  return served;
}

}  // namespace

SessionContext ServerContext::new_session_context() const {
  SessionContext context;
  if (options.protocol == ProtocolName::greet) context.protocol = Greet();
  context.on_request = make_request_hook(options.spin);
  return context;
}

}  // namespace muxbench

int main(int argc, char** argv) {
  const auto result = muxbench::run(argc, argv);
  if (result) return static_cast<int>(muxbench::Exit::success);
  return muxbench::report(std::string("server_").append(muxbench::kModel.name), result.error());
}
