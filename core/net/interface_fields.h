// An interface as JSON, for those who link both.
#pragma once

#include "json/fields.h"
#include "net/interface.h"

namespace muxbench {

template <>
struct Fields<Interface> {
  static void each(auto& interface, const auto& use) {
    use("name", interface.name);
    use("network", interface.network);
    use("speed_mbit", interface.speed_mbit);
    use("mtu", interface.mtu);
    use("driver", interface.driver);
    use("receive_queues", interface.receive_queues);
    use("transmit_queues", interface.transmit_queues);
    use("offloads", interface.offloads);
  }
};

}  // namespace muxbench
