#include "common/work.h"

namespace muxbench {
namespace {

Nanoseconds spin_time{};

void spin() noexcept {
  const auto end = Clock::now() + spin_time;
  while (Clock::now() < end) {
  }
}

}  // namespace

auto make_request_hook(Nanoseconds spin_for) noexcept -> void (*)() noexcept {
  spin_time = spin_for;
  return spin_for.count() > 0 ? &spin : nullptr;
}

}  // namespace muxbench
