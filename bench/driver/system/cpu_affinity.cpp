#include "system/cpu_affinity.h"

namespace muxbench {

OnCpus::OnCpus(const std::vector<int>& cpus) {
  ::sched_getaffinity(0, sizeof before_, &before_);
  cpu_set_t wanted;
  CPU_ZERO(&wanted);
  for (const int cpu : cpus) CPU_SET(static_cast<unsigned>(cpu), &wanted);
  ::sched_setaffinity(0, sizeof wanted, &wanted);
}

OnCpus::~OnCpus() { ::sched_setaffinity(0, sizeof before_, &before_); }

}  // namespace muxbench
