// The network card, or what stands for one, behind an address of this machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/address.h"

namespace muxbench {

struct Interface {
  std::string name;                        // "eth0"
  std::string network;                     // "10.0.0.0/24"; empty for IPv6
  std::optional<std::int64_t> speed_mbit;  // what the driver says, where it does
  std::uint64_t mtu = 0;
  std::string driver;                // "ixgbe", "veth", "loopback"; empty: unknown
  std::uint64_t receive_queues = 0;  // 0: unknown
  std::uint64_t transmit_queues = 0;
  std::vector<std::string>
      offloads;  // that are on, of tso, gso, gro, lro, rx-checksum, tx-checksum
};

// Nothing where no interface of this network namespace has the address. Its port does not matter.
std::optional<Interface> interface_of(const Address& own);

}  // namespace muxbench
