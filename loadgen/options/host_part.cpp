#include "options/host_part.h"

#include <algorithm>

#include "options/descriptors.h"

namespace muxbench::loadgen {
namespace {

std::uint32_t with_connections(const Options& whole, std::uint32_t hosts) {
  return std::min(whole.connections, hosts);
}

}  // namespace

std::uint64_t part_of(std::uint64_t total, HostPart part) noexcept {
  return total / part.hosts + (part.host < total % part.hosts ? 1 : 0);
}

Result<> check_parts(const Options& whole, std::uint32_t hosts) {
  const std::uint32_t active = with_connections(whole, hosts);
  for (const std::uint64_t rate : whole.rates) {
    if (rate >= active) continue;
    return usage_error("--rate {} cannot be split over {} hosts; raise it, or give fewer hosts",
                       rate, active);
  }
  if (whole.connect_rate != 0 && whole.connect_rate < hosts) {
    return usage_error("--connect-rate {} cannot be split over {} hosts; raise it, or leave it out",
                       whole.connect_rate, hosts);
  }
  if (whole.requests != 0 && std::min<std::uint64_t>(whole.requests, whole.connections) < hosts) {
    return usage_error(
        "--requests {} on {} connections leaves some of {} hosts with nothing to do; raise both to "
        "that number at least",
        whole.requests, whole.connections, hosts);
  }
  if (whole.target.is_unix()) {
    return usage_error("{} is on one machine; give an address that all hosts can reach",
                       whole.target_text);
  }
  return {};
}

Options part_of(const Options& whole, HostPart part) {
  Options own = whole;
  own.part = part;
  const auto split = [&](auto& count, std::uint32_t hosts) {
    const bool takes_part = part.host < hosts;
    using Count = std::remove_reference_t<decltype(count)>;
    count = takes_part ? static_cast<Count>(part_of(count, {part.host, hosts})) : 0;
  };
  for (std::uint32_t Options::*count :
       {&Options::connections, &Options::idle, &Options::stall_mid_message,
        &Options::stall_never_read, &Options::stall_trickle}) {
    split(own.*count, part.hosts);
  }
  split(own.connect_rate, part.hosts);
  split(own.requests, part.hosts);
  for (std::uint64_t& rate : own.rates) split(rate, with_connections(whole, part.hosts));

  // Numbers are unique over all hosts, so that a connection's bytes are those of no other.
  const std::uint64_t all = std::uint64_t{whole.connections} + whole.background();
  const std::uint64_t most = (all + part.hosts - 1) / part.hosts + 5;  // five kinds are rounded up
  own.first_number = static_cast<std::uint32_t>(most * part.host);

  const std::uint64_t connections = std::uint64_t{own.connections} + own.background();
  if (!own.threads_asked) {
    own.threads = static_cast<std::uint32_t>(
        std::max<std::uint64_t>(own.cpus.size(), threads_needed(connections, descriptor_limit())));
  }
  own.threads = std::clamp<std::uint32_t>(own.threads, 1, std::max(own.connections, 1U));
  return own;
}

}  // namespace muxbench::loadgen
