#include "cli/doctor_load_hosts.h"

#include <set>

#include "base/format.h"
#include "base/parse.h"
#include "net/interface_fields.h"
#include "trial/load_launcher.h"

namespace muxbench {
namespace {

std::string in_words(const Interface& interface) {
  std::string text = interface.name;
  if (!interface.driver.empty()) text += " of driver " + interface.driver;
  if (interface.speed_mbit) text += fmt::format(", {} Mbit/s", *interface.speed_mbit);
  text += fmt::format(", MTU {}", interface.mtu);
  if (interface.receive_queues > 0) {
    text += fmt::format(", {} receive and {} transmit queues", interface.receive_queues,
                        interface.transmit_queues);
  }
  if (!interface.offloads.empty()) text += fmt::format(", {}", fmt::join(interface.offloads, " "));
  return text;
}

std::string time_at(const Json& host, const char* pointer) {
  return to_string(Nanoseconds(static_cast<std::int64_t>(number_at(host, pointer).value_or(0))));
}

void judge(const std::string& name, const Json& host, const std::optional<Interface>& ours,
           std::vector<Diagnosis>& list) {
  constexpr double kWantedDescriptors = 8192;
  const double descriptors = number_at(host, "/descriptor_limit").value_or(0);
  const std::string subject = "load host " + name;
  list.push_back(
      good(subject, fmt::format("{} CPUs, {} descriptors, round trips of {} (p50) and {} (p99)",
                                number_at(host, "/cpus").value_or(0), descriptors,
                                time_at(host, "/rtt_ns/p50"), time_at(host, "/rtt_ns/p99"))));
  if (descriptors < kWantedDescriptors) {
    list.push_back(
        lack(subject, fmt::format("a process may open {}", descriptors),
             "raise the limit there in /etc/security/limits.conf; it holds from the next "
             "login"));
  }
  if (!host.contains("interface")) return;
  const auto theirs = from_fields<Interface>(host.at("interface"));
  list.push_back(good(subject, in_words(theirs)));
  if (ours && ours->mtu != theirs.mtu) {
    list.push_back(lack(subject, fmt::format("MTU {} there and {} here", theirs.mtu, ours->mtu),
                        "set both to the same (ip link set DEVICE mtu N)"));
  }
}

}  // namespace

Result<std::vector<Diagnosis>> examine_load_hosts(const LoadHostsRequest& request) {
  const auto hosts = find_load_hosts(request);
  if (!hosts) return hosts.error();
  std::vector<Diagnosis> list;
  const auto address = Address::parse(hosts->listen + ":0");
  const auto ours = address ? interface_of(*address) : std::nullopt;
  if (ours) list.push_back(good("listen", hosts->listen + " on " + in_words(*ours)));
  bool all_there = true;
  for (const std::string& name : hosts->names) {
    const auto one = only(*hosts, request, name);
    if (!one) return one.error();
    const auto probed = probe_load_hosts(*one);
    if (probed) {
      judge(name, probed->hosts.at(0), ours, list);
    } else {
      all_there = false;
      list.push_back(
          missing("load host " + name, probed.error().message,
                  fmt::format("ssh {0} true must work without a password (ssh-copy-id "
                              "{0}), and {0} have this machine's architecture and "
                              "system, openmpi-bin, and the program: scripts/push.sh {0}",
                              name)));
    }
  }
  if (!all_there || hosts->names.size() == 1) return list;
  const auto together = probe_load_hosts(*hosts);
  if (!together) {
    list.push_back(missing("load hosts", together.error().message,
                           "they have to reach each other as well: look at their firewalls; same "
                           "program everywhere: scripts/push.sh"));
    return list;
  }
  std::string clocks;
  for (const Json& host : together->hosts) {
    clocks += fmt::format("{}{} {}", clocks.empty() ? "" : ", ", host.at("name").get<std::string>(),
                          time_at(host, "/clock_offset_ns"));
  }
  list.push_back(good("load hosts", fmt::format("the same program on all, started in {}; clocks "
                                                "(since boot) against the first: {}",
                                                format_duration(together->launching), clocks)));
  return list;
}

}  // namespace muxbench
