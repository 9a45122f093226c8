// What an experiment may set and sweep about its load: the one table of names, flags and limits.
// A new parameter is one member of LoadSettings and one line of kSettings.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "report/point.h"

namespace muxbench {

struct LoadSettings {
  std::uint64_t connections = 1;     // active ones
  std::uint64_t idle = 0;            // silent ones beside them
  std::uint64_t message_bytes = 64;  // of each request; of the file served for http
  std::uint64_t pipeline = 1;        // requests in flight on each connection
  std::uint64_t rate = 0;            // open loop: requests per second over all connections
  std::uint64_t churn = 0;           // 1: a connection for each request
  // Clients beside them that misbehave.
  std::uint64_t stall_mid_message = 0;
  std::uint64_t stall_never_read = 0;
  std::uint64_t stall_trickle = 0;
  // Of the server.
  std::uint64_t workers = 0;  // 0: as many as the model likes
  // The same for models that can have several, however few the CPUs. Where each worker has one client
  // there is one for each connection. A cell has this as its `workers`.
  std::uint64_t pool_workers = 0;
  std::uint64_t work_spin_us = 0;    // that each request spins, by the wall clock
  std::uint64_t work_sleep_us = 0;   // that each request blocks its thread
  std::uint64_t work_child = 0;      // 1: a child process for each request
  std::uint64_t slow_worker_us = 0;  // that the first worker is blocked at each of its requests

  std::uint64_t stalled() const noexcept {
    return stall_mid_message + stall_never_read + stall_trickle;
  }
  std::uint64_t all_connections() const noexcept { return connections + idle + stalled(); }
};

enum class Side { load, server };

struct Setting {
  std::string_view key;
  std::uint64_t LoadSettings::*member;
  std::string_view flag;   // of the load generator or the server
  std::string_view value;  // what follows the flag, {} being the number; empty: nothing
  std::uint64_t least;
  std::uint64_t most;
  Side side = Side::load;
};

inline constexpr std::array kSettings{
    Setting{"connections", &LoadSettings::connections, "--connections", "{}", 1, 1'000'000},
    Setting{"idle", &LoadSettings::idle, "--idle", "{}", 0, 1'000'000},
    Setting{"message_bytes", &LoadSettings::message_bytes, "--message-bytes", "{}", 1, 16'777'216},
    Setting{"pipeline", &LoadSettings::pipeline, "--pipeline", "{}", 1, 4096},
    Setting{"rate", &LoadSettings::rate, "--rate", "{}", 0, 100'000'000},
    Setting{"churn", &LoadSettings::churn, "--churn", "", 0, 1},
    Setting{"stall_mid_message", &LoadSettings::stall_mid_message, "--stall-mid-message", "{}", 0,
            100'000},
    Setting{"stall_never_read", &LoadSettings::stall_never_read, "--stall-never-read", "{}", 0,
            100'000},
    Setting{"stall_trickle", &LoadSettings::stall_trickle, "--stall-trickle", "{}", 0, 100'000},
    Setting{"workers", &LoadSettings::workers, "--workers", "{}", 0, 4096, Side::server},
    Setting{"pool_workers", &LoadSettings::pool_workers, "--workers", "{}", 0, 1024, Side::server},
    Setting{"work_spin_us", &LoadSettings::work_spin_us, "--work", "spin:{}us", 0, 1'000'000,
            Side::server},
    Setting{"work_sleep_us", &LoadSettings::work_sleep_us, "--work", "sleep:{}us", 0, 1'000'000,
            Side::server},
    Setting{"work_child", &LoadSettings::work_child, "--work", "child", 0, 1, Side::server},
    Setting{"slow_worker_us", &LoadSettings::slow_worker_us, "--slow-worker", "{}us", 0, 1'000'000,
            Side::server},
};

// Those that differ from what a program does by itself; connections and idle always.
bool is_told(const Setting& setting, const LoadSettings& settings) noexcept;
std::vector<std::string> arguments_of(const LoadSettings& settings, Side side);

const Setting* find_setting(std::string_view key);
std::string setting_names();  // "connections, idle, message_bytes"

LoadSettings at_point(LoadSettings load, const Point& point);

}  // namespace muxbench
