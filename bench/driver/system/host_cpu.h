// What the CPUs of this machine are and how they are set, from the /proc and /sys below `root`.
// Whatever these do not tell is "unknown", empty or absent, as most of it is in a virtual machine.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/clock.h"
#include "json/json.h"

namespace muxbench {

using Root = std::filesystem::path;

std::string cpu_model(const Root& root = "/");
// Of the frequency: "performance", "powersave" or such.
std::string governor(const Root& root = "/");
std::string turbo(const Root& root = "/");                        // "on", "off" or "unknown"
std::string simultaneous_multithreading(const Root& root = "/");  // likewise: do CPUs share cores?
std::optional<int> megahertz(const Root& root = "/");             // of the first CPU, now
Json caches(const Root& root = "/");
Json topology(const Root& root = "/");
Json mitigations(const Root& root = "/");

// "qemu virtual machine" or "virtual machine"; empty on bare metal.
std::string virtual_machine(const Root& root = "/");

// CPU time that the hypervisor gave to others since boot, over all CPUs (`steal` of proc_stat(5)).
std::optional<Nanoseconds> steal_time_since_boot(const Root& root = "/");
// Between two readings. A virtual machine whose count never left 0 has a hypervisor that does not
// tell: then it is unknown.
std::optional<Nanoseconds> steal_time_between(std::optional<Nanoseconds> begin,
                                              std::optional<Nanoseconds> end,
                                              bool in_virtual_machine);

}  // namespace muxbench
