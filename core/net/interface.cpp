#include "net/interface.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <bit>
#include <cstring>
#include <memory>
#include <utility>

#include "base/unique_fd.h"

namespace muxbench {
namespace {

bool same_host(const sockaddr* one, const sockaddr* other) {
  if (one == nullptr || one->sa_family != other->sa_family) return false;
  if (one->sa_family == AF_INET) {
    const auto* a = reinterpret_cast<const sockaddr_in*>(one);
    const auto* b = reinterpret_cast<const sockaddr_in*>(other);
    return a->sin_addr.s_addr == b->sin_addr.s_addr;
  }
  if (one->sa_family != AF_INET6) return false;
  const auto* a = reinterpret_cast<const sockaddr_in6*>(one);
  const auto* b = reinterpret_cast<const sockaddr_in6*>(other);
  return std::memcmp(&a->sin6_addr, &b->sin6_addr, sizeof a->sin6_addr) == 0;
}

std::string network_of(const ifaddrs& entry) {
  if (entry.ifa_addr->sa_family != AF_INET || entry.ifa_netmask == nullptr) return {};
  const auto mask = reinterpret_cast<const sockaddr_in*>(entry.ifa_netmask)->sin_addr.s_addr;
  in_addr network{};
  network.s_addr = reinterpret_cast<const sockaddr_in*>(entry.ifa_addr)->sin_addr.s_addr & mask;
  char text[INET_ADDRSTRLEN];
  ::inet_ntop(AF_INET, &network, text, sizeof text);
  return fmt::format("{}/{}", text, std::popcount(mask));
}

// ethtool(8)'s questions, for an interface by its name: unlike /sys they are about this network
// namespace.
class Ethtool {
 public:
  explicit Ethtool(const std::string& name) {
    std::strncpy(request_.ifr_name, name.c_str(), IFNAMSIZ - 1);
  }
  bool ask(void* question) {
    request_.ifr_data = static_cast<char*>(question);
    return fd_ && ::ioctl(fd_.get(), SIOCETHTOOL, &request_) == 0;
  }
  std::uint64_t mtu() {
    const bool told = fd_ && ::ioctl(fd_.get(), SIOCGIFMTU, &request_) == 0;
    return told ? static_cast<std::uint64_t>(request_.ifr_mtu) : 0;
  }
  bool is_on(std::uint32_t command) {
    ethtool_value value{.cmd = command, .data = 0};
    return ask(&value) && value.data != 0;
  }

 private:
  UniqueFd fd_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  ifreq request_{};
};

Interface describe_interface(const std::string& name, std::string network) {
  Interface found{.name = name, .network = std::move(network)};
  Ethtool ethtool(name);
  found.mtu = ethtool.mtu();
  ethtool_cmd link{};
  link.cmd = ETHTOOL_GSET;
  if (ethtool.ask(&link)) {
    const std::uint32_t speed = ethtool_cmd_speed(&link);
    if (speed != 0 && speed != static_cast<std::uint32_t>(SPEED_UNKNOWN)) found.speed_mbit = speed;
  }
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  if (ethtool.ask(&channels)) {
    found.receive_queues = channels.rx_count + channels.combined_count;
    found.transmit_queues = channels.tx_count + channels.combined_count;
  }
  ethtool_drvinfo driver{};
  driver.cmd = ETHTOOL_GDRVINFO;
  if (ethtool.ask(&driver)) found.driver = driver.driver;
  if (found.driver.empty() && name == "lo") found.driver = "loopback";
  for (const auto& [command, word] :
       {std::pair{ETHTOOL_GTSO, "tso"}, std::pair{ETHTOOL_GGSO, "gso"},
        std::pair{ETHTOOL_GGRO, "gro"}, std::pair{ETHTOOL_GRXCSUM, "rx-checksum"},
        std::pair{ETHTOOL_GTXCSUM, "tx-checksum"}}) {
    if (ethtool.is_on(static_cast<std::uint32_t>(command))) found.offloads.emplace_back(word);
  }
  ethtool_value flags{.cmd = ETHTOOL_GFLAGS, .data = 0};
  if (ethtool.ask(&flags) && (flags.data & ETH_FLAG_LRO) != 0) found.offloads.emplace_back("lro");
  return found;
}

}  // namespace

std::optional<Interface> interface_of(const Address& own) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return std::nullopt;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (same_host(entry->ifa_addr, own.data())) {
      return describe_interface(entry->ifa_name, network_of(*entry));
    }
  }
  return std::nullopt;
}

}  // namespace muxbench
