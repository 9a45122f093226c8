// The words of the command line and the result for the options' values.
#include <array>

#include "options/options.h"

namespace muxbench::loadgen {

std::string_view name_of(ProtocolKind protocol) {
  constexpr std::array<std::string_view, 3> kNames{"echo", "greet", "http"};
  return kNames[static_cast<std::size_t>(protocol)];
}

std::string_view name_of(Closer closer) {
  constexpr std::array<std::string_view, 3> kNames{"client", "server", "reset"};
  return kNames[static_cast<std::size_t>(closer)];
}

std::string_view name_of(Arrival arrival) {
  return arrival == Arrival::poisson ? "poisson" : "uniform";
}

Role Options::background_role(std::uint32_t number) const {
  std::uint32_t first = connections;
  for (const auto& [role, count] :
       {std::pair{Role::idle, idle}, std::pair{Role::mid_message, stall_mid_message},
        std::pair{Role::never_read, stall_never_read}}) {
    first += count;
    if (number < first) return role;
  }
  return Role::trickle;
}

}  // namespace muxbench::loadgen
