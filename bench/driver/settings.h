// What an experiment may set and sweep about its load: the one table of names, flags and limits.
// A new parameter is one member of LoadSettings and one line of kSettings.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace muxbench {

struct LoadSettings {
  std::uint64_t connections = 1;     // active ones
  std::uint64_t idle = 0;            // silent ones beside them
  std::uint64_t message_bytes = 64;  // of each request; of the file served for http
};

struct Setting {
  std::string_view key;
  std::uint64_t LoadSettings::*member;
  std::string_view flag;  // of the load generator
  std::uint64_t least;
  std::uint64_t most;
};

inline constexpr std::array kSettings{
    Setting{"connections", &LoadSettings::connections, "--connections", 1, 1'000'000},
    Setting{"idle", &LoadSettings::idle, "--idle", 0, 1'000'000},
    Setting{"message_bytes", &LoadSettings::message_bytes, "--message-bytes", 1, 16'777'216},
};

const Setting* find_setting(std::string_view key);
std::string setting_names();  // "connections, idle, message_bytes"

// Where in a sweep a cell lies: swept keys in the file's order, then connections.
struct Coordinate {
  std::string key;
  std::uint64_t value;
  friend bool operator==(const Coordinate&, const Coordinate&) = default;
};
using Point = std::vector<Coordinate>;

std::string to_string(const Point& point);  // "idle:8000/connections:100"
LoadSettings at_point(LoadSettings load, const Point& point);

}  // namespace muxbench
