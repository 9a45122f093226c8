#include "cpus.h"

#include <sched.h>

namespace muxbench {
namespace {

std::optional<int> other;

}  // namespace

std::optional<int> pin_process() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return {};
  std::optional<int> last;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(static_cast<unsigned>(cpu), &allowed)) continue;
    other = last;
    last = cpu;
  }
  if (!last || !move_thread_to(*last)) return {};
  return last;
}

std::optional<int> other_cpu() { return other; }

bool move_thread_to(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(cpu), &one);
  return ::sched_setaffinity(0, sizeof one, &one) == 0;
}

}  // namespace muxbench
