#include "trial/accept_queue.h"

#include <charconv>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "system/interrupt.h"

namespace muxbench {
namespace {

// The port of 0100007F:0050, the receive queue of 00000000:00000003.
std::uint64_t hex_after_colon(const std::string& text) {
  std::uint64_t number = 0;
  std::from_chars(text.data() + text.rfind(':') + 1, text.data() + text.size(), number, 16);
  return number;
}

}  // namespace

std::optional<std::uint64_t> accept_queue(const Address& address) {
  if (address.is_unix()) return {};
  std::optional<std::uint64_t> waiting;
  for (const char* table : {"/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"}) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);  // the heading
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::string slot, local, remote, state, queues;
      fields >> slot >> local >> remote >> state >> queues;
      constexpr const char* kListen = "0A";
      if (state != kListen) break;  // listeners come first
      if (hex_after_colon(local) != address.port()) continue;
      waiting = waiting.value_or(0) + hex_after_colon(queues);
    }
  }
  return waiting;
}

std::uint64_t await_accepted(const Address& address, Nanoseconds patience) {
  const auto deadline = Clock::now() + patience;
  for (;;) {
    const std::uint64_t waiting = accept_queue(address).value_or(0);
    if (waiting == 0 || Clock::now() >= deadline || interrupted()) return waiting;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace muxbench
