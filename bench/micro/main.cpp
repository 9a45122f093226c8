// Micro-benchmarks of what I/O multiplexing is made of. Takes Google Benchmark's options, for
// example
//   micro --benchmark_filter=wait_cost --benchmark_repetitions=5
//   --benchmark_enable_random_interleaving=true
#include <benchmark/benchmark.h>
#include <sched.h>
#include <sys/resource.h>

#include "benchmarks.h"

namespace muxbench {
namespace {

// Two descriptors a pair; 100 are left for everything else.
std::size_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  constexpr rlim_t kReserve = 1024 + 100;  // partners are moved above 1024, see WatchedSet
  const rlim_t pairs = limit.rlim_cur > kReserve ? (limit.rlim_cur - kReserve) / 2 : 8;
  return std::min<std::size_t>(pairs, 8192);
}

// On one CPU throughout: the last one of those allowed, since the first serves most interrupts.
void pin() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  for (int cpu = CPU_SETSIZE - 1; cpu >= 0; --cpu) {
    if (!CPU_ISSET(static_cast<unsigned>(cpu), &allowed)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(cpu), &one);
    ::sched_setaffinity(0, sizeof one, &one);
    benchmark::AddCustomContext("pinned_to_cpu", std::to_string(cpu));
    return;
  }
}

}  // namespace

void register_missing(const std::string& name, const std::string& reason) {
  benchmark::RegisterBenchmark(name.c_str(), [reason](benchmark::State& state) {
    state.SkipWithError(reason.c_str());
    for (auto _ : state) {
    }
  });
}

}  // namespace muxbench

int main(int argc, char** argv) {
  using namespace muxbench;
  const std::size_t largest = raise_descriptor_limit();
  pin();
  register_syscall_floor();
  register_wait_cost(largest);
  register_registration_cost(largest);
  register_hand_over_cost();
  register_session_cost();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
