#include "probe.h"

#include <netinet/tcp.h>
#include <sched.h>

#include <algorithm>
#include <vector>

#include "net/interface_fields.h"
#include "net/socket.h"
#include "options/descriptors.h"

namespace muxbench::loadgen {
namespace {

unsigned cpus() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  return static_cast<unsigned>(CPU_COUNT(&allowed));
}

// The kernel's own, of the handshake: no process at the other end takes part in it.
std::uint32_t handshake_us(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return info.tcpi_rtt;
}

Result<> probe_path(const std::string& target, Json& found) {
  constexpr int kHandshakes = 100;
  constexpr auto kPatience = std::chrono::seconds(5);
  const auto address = Address::resolve(target);
  if (!address) return address.error();
  std::vector<std::uint32_t> times;
  for (int i = 0; i < kHandshakes; ++i) {
    const auto connection = connect_to(*address, kPatience);
    if (!connection) return connection.error();
    times.push_back(handshake_us(connection->get()));
    if (i > 0) continue;
    const auto own = Address::of_socket(connection->get());
    if (!own) return own.error();
    if (const auto interface = interface_of(*own)) found["interface"] = to_fields(*interface);
  }
  std::ranges::sort(times);
  found["rtt_ns"] = {{"p50", std::uint64_t{times[kHandshakes / 2]} * 1000},
                     {"p99", std::uint64_t{times[kHandshakes - 1]} * 1000}};
  return {};
}

}  // namespace

Json probe(const std::string& target) {
  Json found{{"cpus", cpus()}, {"descriptor_limit", descriptor_limit()}};
  if (const auto reached = probe_path(target, found); !reached) {
    found["error"] = reached.error().message;
  }
  return found;
}

}  // namespace muxbench::loadgen
