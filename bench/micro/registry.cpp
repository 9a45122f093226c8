#include <map>
#include <memory>

#include "benchmarks.h"
#include "samples.h"

namespace muxbench {
namespace {

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
    const char* reason = why_to_stop();
    if (reason == nullptr && !current->failure.empty()) reason = current->failure.c_str();
    if (reason != nullptr) return give_up(state, reason);
    function(state);
  };
  auto* benchmark = benchmark::RegisterBenchmark(name.c_str(), run)->UseManualTime();
  if (has_argument) benchmark->ArgName(argument);
  for (const std::int64_t value : arguments) benchmark->Arg(value);
  return benchmark;
}

void add_missing(const std::string& name, const std::string& reason) {
  add_benchmark(
      name, [message = kSkipped + reason](benchmark::State& state) { give_up(state, message); });
}

}  // namespace muxbench
