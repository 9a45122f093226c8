#include "options/option_reader.h"

#include <sched.h>

#include <fstream>

namespace muxbench::loadgen {

void read_target(bool allow_remote, Reader& reader, Options& options) {
  const Result<Address> target = Address::resolve(options.target_text);
  if (!target) return reader.refuse(target.error());
  options.target = *target;
  if (!target->is_loopback() && !allow_remote) {
    reader.refuse(usage_error(
        "{} is not on this machine; add --allow-remote if you are entitled to load that host",
        options.target_text));
  }
}

void read_cpus(const std::string& text, Reader& reader, Options& options) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  if (text.empty()) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &allowed)) options.cpus.push_back(cpu);
    }
    return;
  }
  const Result<std::vector<int>> cpus = parse_cpu_list(text);
  if (!cpus) return reader.refuse(usage_error("--cpus: {}", cpus.error().message));
  for (const int cpu : *cpus) {
    if (!CPU_ISSET(cpu, &allowed)) {
      return reader.refuse(
          usage_error("--cpus: CPU {} does not exist or is not allowed to this process; "
                      "see nproc and taskset -p $$",
                      cpu));
    }
  }
  options.cpus = *cpus;
}

void read_sizes(const std::string& text, Reader& reader, Options& options) {
  Result<MessageSizes> sizes = MessageSizes::parse(text);
  if (!sizes) return reader.refuse(usage_error("--message-bytes: {}", sizes.error().message));
  options.message_bytes = *sizes;
}

void read_path_file(const std::string& name, Reader& reader, Options& options) {
  std::ifstream file(name);
  for (std::string path; std::getline(file, path);) {
    if (!path.empty()) options.paths.push_back(path);
  }
  if (!file.is_open() || file.bad() || options.paths.empty()) {
    reader.refuse(usage_error("--path-file: cannot read a path from {}; write one a line", name));
  }
}

}  // namespace muxbench::loadgen
