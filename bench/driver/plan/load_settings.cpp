#include "plan/load_settings.h"

#include <fmt/format.h>

#include <algorithm>

namespace muxbench {

const Setting* find_setting(std::string_view key) {
  const auto* found = std::find_if(kSettings.begin(), kSettings.end(),
                                   [&](const Setting& setting) { return setting.key == key; });
  return found == kSettings.end() ? nullptr : found;
}

bool is_told(const Setting& setting, const LoadSettings& settings) noexcept {
  const bool always = setting.key == "connections" || setting.key == "idle";
  return always || settings.*setting.member != LoadSettings{}.*setting.member;
}

std::vector<std::string> arguments_of(const LoadSettings& settings, Side side) {
  std::vector<std::string> arguments;
  for (const Setting& setting : kSettings) {
    if (setting.side != side || !is_told(setting, settings)) continue;
    arguments.emplace_back(setting.flag);
    if (setting.value.empty()) continue;
    arguments.push_back(fmt::format(fmt::runtime(setting.value), settings.*setting.member));
  }
  return arguments;
}

std::string setting_names() {
  std::string names;
  for (const Setting& setting : kSettings) {
    if (!names.empty()) names += ", ";
    names += setting.key;
  }
  return names;
}

LoadSettings at_point(LoadSettings load, const Point& point) {
  for (const auto& [key, value] : point) {
    if (const Setting* setting = find_setting(key)) load.*setting->member = value;
  }
  return load;
}

}  // namespace muxbench
