#include "options/descriptors.h"

#include <sys/resource.h>

namespace muxbench::loadgen {
namespace {

constexpr std::uint64_t kOwnDescriptors = 32;  // standard streams, result files, epoll, libraries

}  // namespace

std::uint64_t descriptor_limit() noexcept {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur;
}

std::uint64_t threads_needed(std::uint64_t connections, std::uint64_t limit) noexcept {
  if (limit <= kOwnDescriptors) return 1;
  const std::uint64_t each = limit - kOwnDescriptors;
  return (connections + each - 1) / each;
}

Result<> make_room_for(std::uint64_t connections, std::uint32_t threads) {
  const std::uint64_t limit = descriptor_limit();
  const std::uint64_t most = (connections + threads - 1) / threads;  // of one thread
  if (most + kOwnDescriptors <= limit) return {};
  return make_error(
      "{} connections need {} descriptors in a thread and the limit is {}; give --threads {}, "
      "raise "
      "it with ulimit -n (as root) or ask for fewer connections",
      connections, most + kOwnDescriptors, limit, threads_needed(connections, limit));
}

}  // namespace muxbench::loadgen
