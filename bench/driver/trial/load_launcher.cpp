#include "trial/load_launcher.h"

#include <sys/socket.h>
#include <sys/utsname.h>

#include "base/file.h"
#include "net/socket.h"
#include "system/child_process.h"
#include "system/interrupt.h"
#include "trial/launcher_words.h"

namespace muxbench {
namespace {

constexpr auto kPatience = std::chrono::seconds(90);  // an unreachable host takes 10 s and more
constexpr auto kGrace = std::chrono::seconds(10);

// A connection that nobody takes would fill the queue of those that wait.
void drain(int listener) {
  for (;;) {
    const UniqueFd connection(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection) return;
  }
}

// The last line of JSON that it prints, null where there is none.
Result<Json> hear(ChildProcess& child, int listener) {
  const auto deadline = Clock::now() + kPatience;
  Json last;
  std::string line;
  while (Clock::now() < deadline) {
    const Wait wait = child.read_line(line, Clock::now() + std::chrono::milliseconds(20));
    drain(listener);
    if (wait == Wait::interrupted) return make_error("interrupted");
    if (wait == Wait::timeout && ssh_has_failed(child.error_output())) return Json();
    if (wait == Wait::timeout) continue;
    Json document = Json::parse(line, nullptr, false);
    if (document.is_object()) last = std::move(document);
    if (wait == Wait::end_of_output) return last;
  }
  return make_error(
      "the load hosts have not answered for 90 s; look whether their firewalls let MPI's "
      "connections pass");
}

// The hosts compare their programs with each other; this compares them with ours.
Result<> check_same(const Json& host, const std::string& program) {
  const auto name = host.at("name").get<std::string>();
  const auto machine = text_at(host, "/machine").value_or("");
  utsname own{};
  ::uname(&own);
  if (machine != own.machine) {
    return make_error(
        "load host {} is of the architecture {} and this machine of {}: take load hosts of the "
        "same architecture",
        name, machine, own.machine);
  }
  const auto hash = content_hash(program);
  if (!hash) return hash.error();
  if (text_at(host, "/program") != *hash) {
    return make_error(
        "load host {} has another version of {} than this machine: copy it there with "
        "scripts/push.sh {}",
        name, program, name);
  }
  return {};
}

}  // namespace

Result<ProbedHosts> probe_load_hosts(const LoadHosts& hosts) {
  const auto address = Address::parse(hosts.listen + ":0");
  if (!address) return address.error();
  const auto listener = listen_on(*address, {.nonblocking = true});
  if (!listener) return listener.error();
  const auto own = Address::of_socket(listener->get());
  if (!own) return own.error();
  std::vector<std::string> command = hosts.command;
  command.insert(command.end(), {"--probe", own->to_string()});
  const auto begin = Clock::now();
  auto child = ChildProcess::start({.command = command, .grace = kGrace});
  if (!child) return child.error();
  const auto heard = hear(*child, listener->get());
  if (!heard) return heard.error();
  if (const auto wrong = text_at(*heard, "/stop_reason")) return make_error("{}", *wrong);
  if (!heard->is_object() || !heard->contains("hosts")) {
    child->wait_until(Clock::now() + kGrace);
    return make_error("the load generator cannot be started on {}: {}",
                      fmt::join(hosts.names, ", "), gist_of(child->error_output(), hosts.names));
  }
  ProbedHosts probed{.hosts = heard->at("hosts"), .launching = Clock::now() - begin};
  for (const Json& host : probed.hosts) {
    if (auto same = check_same(host, hosts.command.back()); !same) return same.error();
    if (const auto wrong = text_at(host, "/error")) {
      return make_error("load host {} cannot reach {}: {}; look at its firewall and routes",
                        host.at("name").get<std::string>(), own->to_string(), *wrong);
    }
  }
  child->wait_until(Clock::now() + kGrace);
  return probed;
}

}  // namespace muxbench
