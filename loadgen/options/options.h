// What a load is to be, as the command line says it (parse_options.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "client/message_sizes.h"
#include "net/address.h"

namespace muxbench::loadgen {

inline constexpr std::uint64_t kMostPerSecond = 10'000'000;  // requests, or connections

enum class ProtocolKind : std::uint8_t { echo, greet, http };

// Who ends the connection of a request that has one of its own.
enum class Closer : std::uint8_t { client, server, reset };

// When the requests of an open loop are due.
enum class Arrival : std::uint8_t { uniform, poisson };

// What a connection does.
enum class Role : std::uint8_t {
  active,       // sends requests and reads the answers
  idle,         // nothing
  mid_message,  // stops in the middle of its first message
  never_read,   // sends and sends, and never reads
  trickle,      // sends a byte a second
};

// One of the hosts that make a load together.
struct HostPart {
  std::uint32_t host = 0;
  std::uint32_t hosts = 1;
};

std::string_view name_of(ProtocolKind protocol);
std::string_view name_of(Closer closer);
std::string_view name_of(Arrival arrival);

struct Options {
  std::string target_text;
  Address target;
  ProtocolKind protocol = ProtocolKind::echo;
  std::uint32_t connections = 64;
  std::uint32_t idle = 0;
  std::uint32_t stall_mid_message = 0;
  std::uint32_t stall_never_read = 0;
  std::uint32_t stall_trickle = 0;
  std::uint32_t threads = 1;
  bool threads_asked = false;  // by --threads
  std::vector<int> cpus;       // one per thread, round robin; never empty
  MessageSizes message_bytes = 64U;
  std::vector<std::uint64_t> rates;  // open loop: requests per second, one run for each
  std::uint64_t rate = 0;            // of this run; 0: closed loop
  Arrival arrival = Arrival::uniform;
  Nanoseconds max_lag = std::chrono::seconds(5);
  bool busy_poll = false;  // no thread sleeps under load
  std::uint32_t pipeline = 1;
  std::uint64_t connect_rate = 0;  // 0: as fast as possible
  bool churn = false;              // a connection for each request
  Closer closer = Closer::reset;
  std::vector<std::string> paths;
  std::string body_root;  // empty: the first response is the reference
  Nanoseconds warmup{};
  Nanoseconds duration = std::chrono::seconds(10);
  std::uint64_t requests = 0;  // 0: the duration decides
  Nanoseconds connect_timeout = std::chrono::seconds(5);
  Nanoseconds timeout = std::chrono::seconds(5);
  // Each a file, "-" for standard output, or empty.
  std::string json;
  std::string hgrm;
  std::string csv;
  bool phases = false;
  bool quiet = false;
  // On many hosts: which one this is, and what its connections are numbered from.
  HostPart part;
  std::uint32_t first_number = 0;

  bool json_on_stdout() const { return json == "-"; }
  bool result_on_stdout() const { return json_on_stdout() || hgrm == "-" || csv == "-"; }
  std::uint32_t stalled() const { return stall_mid_message + stall_never_read + stall_trickle; }
  bool per_request() const { return churn || protocol == ProtocolKind::greet; }
  bool open_loop() const { return rate != 0; }
  // Idle and stalled connections. They are numbered after the active ones, in this order.
  std::uint32_t background() const { return idle + stalled(); }
  Role background_role(std::uint32_t number) const;
};

}  // namespace muxbench::loadgen
