// How every micro-benchmark takes time, so that all are measured alike.
//
// A repetition takes as many samples as fit into its slice of wall-clock time. A sample is one timed
// region between two readings of the monotonic clock (about 25 ns of which are inside), and the
// repetition's time is the *median* of its samples: an interrupt or a pre-emption hits few of them
// and would rule the mean. Google Benchmark counts and reports; none of its code runs in a region.
//
// What comes before and after the region in a sample (making descriptors ready, emptying them,
// arming again) costs slice, not time. The CPU time reported is the thread's, of the same regions;
// reading that clock is a system call, so it is 0.2 to 0.4 us too high in every one, and real time
// is what counts. Complexity() picks its class by CPU time, which is why it has to be of the region.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

#include "run_state.h"

namespace muxbench {

// The stopwatch that a sample is given: begin(), the work, end(); or make_error() with a sentence.
class Region {
 public:
  void begin() noexcept {
    if (counted_ != nullptr) counted_->ResumeTiming();
    begin_ = Clock::now();
  }
  void end() noexcept {
    took_ = Clock::now() - begin_;
    if (counted_ != nullptr) counted_->PauseTiming();
  }
  void make_error(std::string error) { error_ = std::move(error); }

  void count_into(benchmark::State* state) noexcept { counted_ = state; }
  Nanoseconds took() const noexcept { return took_; }
  const std::string& error() const noexcept { return error_; }

 private:
  benchmark::State* counted_ = nullptr;
  Clock::time_point begin_;
  Nanoseconds took_{};
  std::string error_;
};

// How much work a repetition of a benchmark is: found by its first one and kept by the others, for
// Google Benchmark wants the same number of iterations from all. 0: not found yet.
struct Amount {
  std::int64_t operations = 0;  // in a sample of time_loop()
  std::int64_t samples = 0;
  std::int64_t iterations = 0;
  std::string failure;  // why the repetitions that are left are not tried
};
Amount& current_amount() noexcept;  // of the benchmark that runs now

// Ends a benchmark before its first sample, and all repetitions of it that are left.
void give_up(benchmark::State& state, const std::string& why);

inline double median_seconds(std::vector<Nanoseconds>& samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return std::chrono::duration<double>(*middle).count();
}

// Runs sample(region) until the slice is used. A sample holds `operations` of what is measured: the
// time reported is that of one of them.
template <typename Sample>
void take_samples(benchmark::State& state, std::int64_t operations, Sample sample) {
  constexpr std::int64_t kFewest = 3;
  constexpr std::int64_t kMost = 20'000;
  Region region;
  sample(region);  // touches the memory and warms the caches, and is not counted
  Amount& amount = current_amount();
  std::int64_t& count = amount.samples;
  if (count == 0) {
    const auto begin = Clock::now();
    sample(region);
    const auto cost = std::max(Clock::now() - begin, Nanoseconds(1));
    count = std::clamp(slice() / cost, kFewest, kMost);
  }
  amount.iterations = count * operations;
  if (!region.error().empty()) return give_up(state, region.error());
  std::vector<Nanoseconds> samples;
  samples.reserve(static_cast<std::size_t>(count));
  while (state.KeepRunningBatch(amount.iterations)) {
    state.PauseTiming();
    region.count_into(&state);
    samples.clear();
    for (std::int64_t i = 0; i < count; ++i) {
      sample(region);
      if (interrupted()) end_interrupted();
      if (!region.error().empty()) {
        amount.failure = region.error();
        return state.SkipWithError(amount.failure.c_str());
      }
      samples.push_back(region.took());
    }
    state.ResumeTiming();
    state.SetIterationTime(median_seconds(samples) * static_cast<double>(count));
  }
}

// For work so short that reading the clock would show: a sample is a loop of at least 20 us over
// `operation`, which returns whether it worked.
template <typename Operation>
void time_loop(benchmark::State& state, const char* what, Operation operation) {
  constexpr auto kSample = std::chrono::microseconds(20);
  std::int64_t& operations = current_amount().operations;
  const bool is_first = operations == 0;
  if (is_first) operations = 1;
  const auto run = [&](Region& region) {
    bool good = true;
    region.begin();
    for (std::int64_t i = 0; i < operations; ++i) good &= operation();
    region.end();
    if (!good) region.make_error(std::string(what) + " failed");
  };
  Region region;
  while (is_first && (run(region), region.took() < kSample) && region.error().empty()) {
    operations *= 2;
  }
  take_samples(state, operations, run);
}

}  // namespace muxbench
