// Where the driver itself runs.
#pragma once

#include <sched.h>

#include <vector>

namespace muxbench {

// Keeps the driver on these CPUs while it lives, and then puts it back where it was. While servers
// are measured that is the load generator's, which waits whenever the driver works.
class OnCpus {
 public:
  explicit OnCpus(const std::vector<int>& cpus);
  OnCpus(const OnCpus&) = delete;
  OnCpus& operator=(const OnCpus&) = delete;
  ~OnCpus();

 private:
  cpu_set_t before_{};
};

}  // namespace muxbench
