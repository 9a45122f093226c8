#include "system/softirq.h"

#include <unistd.h>

#include <sstream>

#include "base/file.h"

namespace muxbench {

std::optional<Nanoseconds> softirq_time(const std::string& stat, long ticks_per_second) {
  std::istringstream fields(stat);
  std::string cpu;
  fields >> cpu;  // the first line is the sum of all
  long user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0;
  fields >> user >> nice >> system >> idle >> iowait >> irq >> softirq;
  if (!fields || cpu != "cpu" || ticks_per_second <= 0) return {};
  return (irq + softirq) * (Nanoseconds(std::chrono::seconds(1)) / ticks_per_second);
}

std::optional<Nanoseconds> softirq_time() {
  const auto stat = read_file("/proc/stat");
  return stat ? softirq_time(*stat, ::sysconf(_SC_CLK_TCK)) : std::nullopt;
}

}  // namespace muxbench
