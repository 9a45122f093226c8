// What a server's command line asks for, the same for every model (program/parse_options.h reads it).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "net/address.h"

namespace muxbench {

struct Work {
  Nanoseconds spin{};   // until so much wall-clock time has passed
  Nanoseconds sleep{};  // the thread is blocked for so long, or longer
  bool child = false;   // a child process
};

enum class ProtocolName : std::uint8_t { echo, greet, http };

struct Options {
  std::string listen = "127.0.0.1:0";
  Address address;
  bool allow_remote = false;
  ProtocolName protocol = ProtocolName::echo;
  std::string root;      // the folder that http serves
  unsigned workers = 1;  // the model's own default if none were asked for
  bool pin_workers = false;
  int backlog = 4096;
  std::size_t max_connections = SIZE_MAX;
  Nanoseconds idle_timeout{};  // 0: none
  Work work;                   // for each request, before its answer
  Nanoseconds slow_worker{};   // worker 0 is blocked for so long as well; 0: it is as the others
  std::string counters_file;
  std::string user;  // empty: "nobody" where root starts it
  bool describe = false;
  bool inetd_handler = false;
};

}  // namespace muxbench
