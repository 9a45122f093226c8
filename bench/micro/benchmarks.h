// The groups of micro-benchmarks; each registers its own. `largest`: descriptors watched at most;
// `pairs_allowed`: pairs of descriptors that this process may open.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace muxbench {

void register_syscall_floor();
void register_wait_cost(std::size_t largest);
void register_registration_cost(std::size_t pairs_allowed);
void register_hand_over_cost();
void register_session_cost();

using Function = std::function<void(benchmark::State&)>;

// One benchmark whose time is that of samples (samples.h), so "manual" to Google Benchmark; or one
// for each of `arguments`, which the names call by `argument` and the function finds in range(0).
benchmark::internal::Benchmark* add_benchmark(const std::string& name, Function function,
                                              const std::string& argument = "",
                                              const std::vector<std::int64_t>& arguments = {});

// A benchmark that this host or build cannot run: it appears in the results as skipped, with the
// reason.
void add_missing(const std::string& name, const std::string& reason);

// A benchmark that should run here and does not: the run fails by it.
void add_failing(const std::string& name, const std::string& message);

inline constexpr const char* kWatched = "watched";  // the argument of benchmarks of waiting

// How many benchmarks of waiting there are for each number of descriptors, and of other things:
// what a plan is made from, rounded up.
inline constexpr std::size_t kWaitingBenchmarks = 9 * 2 * 3;
inline constexpr std::size_t kOtherBenchmarks = 40;

}  // namespace muxbench
