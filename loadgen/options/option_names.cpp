// The words of the command line and the result for the options' values.
#include "options/options.h"

namespace muxbench::loadgen {

std::string_view name_of(ProtocolKind protocol) {
  switch (protocol) {
    case ProtocolKind::greet:
      return "greet";
    case ProtocolKind::http:
      return "http";
    default:
      return "echo";
  }
}

std::string_view name_of(Closer closer) {
  switch (closer) {
    case Closer::client:
      return "client";
    case Closer::server:
      return "server";
    default:
      return "reset";
  }
}

std::string_view name_of(Arrival arrival) {
  return arrival == Arrival::poisson ? "poisson" : "uniform";
}

Role Options::role_beside(std::uint32_t number) const {
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
