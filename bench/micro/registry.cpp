#include <map>
#include <memory>

#include "benchmarks.h"
#include "samples.h"

namespace muxbench {
namespace {

const std::string kTimeOver = std::string(kSkipped) + "the time of the run was over";

Amount* current = nullptr;

}  // namespace

Amount& current_amount() noexcept { return *current; }

void give_up(benchmark::State& state, const std::string& why) {
  current->failure = why;
  // The number of iterations is that of the repetitions before, if there were any.
  if (current->iterations == 0 || state.KeepRunningBatch(current->iterations)) {
    state.SkipWithError(why.c_str());
  }
}

benchmark::internal::Benchmark* add_benchmark(const std::string& name, Function function,
                                              const std::string& argument,
                                              const std::vector<std::int64_t>& arguments) {
  const bool has_argument = !arguments.empty();
  const auto amounts = std::make_shared<std::map<std::int64_t, Amount>>();
  const auto run = [=](benchmark::State& state) {
    current = &(*amounts)[has_argument ? state.range(0) : 0];
    if (interrupted()) end_interrupted();
    if (!current->failure.empty()) return give_up(state, std::string(current->failure));
    // Of each family the smallest is measured in any case, if only by a few samples: Google
    // Benchmark 1.7 crashes where a family with Complexity() has no time at all.
    const bool is_needed = argument == kWatched && state.range(0) == arguments.front();
    if (time_is_over() && !is_needed) return give_up(state, kTimeOver);
    function(state);
  };
  auto* benchmark = benchmark::RegisterBenchmark(name.c_str(), run)->UseManualTime();
  if (has_argument) benchmark->ArgName(argument);
  for (const std::int64_t value : arguments) benchmark->Arg(value);
  return benchmark;
}

void add_missing(const std::string& name, const std::string& reason) {
  add_failing(name, kSkipped + reason);
}

void add_failing(const std::string& name, const std::string& message) {
  add_benchmark(name, [message](benchmark::State& state) { give_up(state, message); });
}

}  // namespace muxbench
