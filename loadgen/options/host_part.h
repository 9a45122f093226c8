// A load that many hosts make together: what is asked for in all, and each host's part of it.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "options/options.h"

namespace muxbench::loadgen {

// The parts of all hosts add up to `total`; the first hosts have one more.
std::uint64_t part_of(std::uint64_t total, HostPart part) noexcept;

// An error where some host would have nothing of what each one needs.
Result<> check_parts(const Options& whole, std::uint32_t hosts);

// Connections, idle and stalled ones, rates, --connect-rate and --requests are split, the rates over
// those who have connections. --threads and --cpus are each host's own; without --threads a host has
// one for each of its CPUs.
Options part_of(const Options& whole, HostPart part);

}  // namespace muxbench::loadgen
