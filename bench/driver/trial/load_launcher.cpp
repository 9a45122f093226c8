#include "trial/load_launcher.h"

#include <sys/socket.h>

#include <algorithm>
#include <sstream>

#include "net/socket.h"
#include "system/child_process.h"
#include "system/interrupt.h"

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

// Those of ssh say why, and those of a launcher only that a host is missing.
bool is_of_ssh(const std::string& line) {
  return line.starts_with("ssh: ") || line.find("Permission denied (") != std::string::npos ||
         line.find("Host key verification failed") != std::string::npos;
}

// MPICH's launcher waits on for a host that its ssh could not log in to.
bool ssh_has_failed(const std::string& errors) {
  std::istringstream text(errors);
  for (std::string line; std::getline(text, line);) {
    if (is_of_ssh(line)) return true;
  }
  return false;
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

std::string trimmed(const std::string& line) {
  const auto from = line.find_first_not_of(" \t\r");
  if (from == std::string::npos) return {};
  return line.substr(from, line.find_last_not_of(" \t\r") - from + 1);
}

}  // namespace

std::string gist_of(const std::string& errors, const std::vector<std::string>& hosts) {
  constexpr std::size_t kReadable = 300;
  std::string all;
  std::string of_ssh;
  std::string about_a_host;
  std::istringstream text(errors);
  for (std::string raw; std::getline(text, raw);) {
    const std::string line = trimmed(raw);
    if (line.find_first_not_of("-=*") == std::string::npos) continue;  // a rule, or nothing
    all += (all.empty() ? "" : " ") + line;
    // A process of MPICH's launcher begins with its own host, whatever it is about.
    const bool own = line.starts_with("[proxy:") || line.starts_with("[mpiexec@");
    const bool names_one =
        !own && std::any_of(hosts.begin(), hosts.end(), [&](const std::string& host) {
          return line.find(host) != std::string::npos;
        });
    if (names_one && about_a_host.empty()) about_a_host = line;
    if (of_ssh.empty() && is_of_ssh(line)) of_ssh = line;
  }
  std::string gist = all;
  if (!about_a_host.empty()) gist = about_a_host;
  if (!of_ssh.empty()) gist = of_ssh;
  if (gist.size() > kReadable) gist = gist.substr(0, kReadable) + " ...";
  return gist;
}

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
    if (const auto wrong = text_at(host, "/error")) {
      return make_error("load host {} cannot reach {}: {}; look at its firewall and routes",
                        host.at("name").get<std::string>(), own->to_string(), *wrong);
    }
  }
  child->wait_until(Clock::now() + kGrace);
  return probed;
}

}  // namespace muxbench
