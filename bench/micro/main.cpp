// Micro-benchmarks of what I/O multiplexing is made of, in Google Benchmark's format. Takes its own
// options and Google Benchmark's, for example
//   micro --budget 35 --out micro.json
//   micro --budget 5 --benchmark_filter=wait_cost/poll
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/result.h"
#include "benchmarks.h"
#include "command_line/command_line.h"
#include "cpus.h"
#include "display.h"
#include "run_state.h"
#include "time_plan.h"
#include "watched_set.h"

namespace muxbench {
namespace {

constexpr const char* kProgram = "micro";

struct Options {
  double budget_seconds = 35;
  std::string out;
  unsigned repetitions = 5;
  std::size_t largest = 0;
  double slice_ms = 50;
  bool quiet = false;
  std::vector<std::string> rest;
};

// Pairs of descriptors that the limit of this process leaves; 100 are kept for everything else.
std::size_t pairs_allowed() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  constexpr rlim_t kReserve = 1024 + 100;  // partners are moved above 1024, see WatchedSet
  return limit.rlim_cur > kReserve + 16 ? (limit.rlim_cur - kReserve) / 2 : 8;
}

// Tries with a few pairs what many will cost; the best of several times, since the others were
// disturbed or cold.
HostCosts measure_host() {
  constexpr int kRounds = 5;
  HostCosts costs{.most_pairs = pairs_allowed(),
                  .open_pair = Nanoseconds::max(),
                  .use_pair = Nanoseconds::max()};
  const std::size_t count = std::min<std::size_t>(256, costs.most_pairs);
  const auto each = [count](Nanoseconds time) { return time / static_cast<long>(count); };
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = Clock::now();
    const auto set = borrow_set(Pairs::socketpair, count);
    if (!set) return {.most_pairs = 8};
    const auto opened = Clock::now();
    (*set)->fill(count);
    (*set)->drain(count);
    const auto used = Clock::now();
    close_borrowed_set();
    const auto closed = Clock::now();
    costs.use_pair = std::min(costs.use_pair, each(used - opened));
    costs.open_pair = std::min(costs.open_pair, each(opened - begin + (closed - used)));
  }
  return costs;
}

Plan choose_plan(const Options& options, Clock::time_point begin) {
  HostCosts host = measure_host();
  if (options.largest != 0) host.most_pairs = std::min(host.most_pairs, options.largest);
  const Nanoseconds budget(static_cast<Nanoseconds::rep>(options.budget_seconds * 1e9));
  const Amounts amounts{.waiting = kWaitingBenchmarks,
                        .others = kOtherBenchmarks,
                        .repetitions = options.repetitions};
  Plan plan = make_plan(budget, host, amounts);
  plan.slice = std::min(plan.slice, Nanoseconds(static_cast<long>(options.slice_ms * 1e6)));
  set_time_limit(plan.slice, begin + std::max(budget, Nanoseconds(std::chrono::seconds(1))));
  return plan;
}

void describe(const Options& options, const Plan& plan) {
  const auto add = [](const char* key, const std::string& value) {
    benchmark::AddCustomContext(key, value);
  };
  utsname host{};
  ::uname(&host);
  const auto cpu = pin_process();
  add("muxbench_micro", "1.0");  // the version of these names
  add("kernel", host.release);
  add("pinned_to_cpu", cpu ? std::to_string(*cpu) : "none");
  add("random_interleaving", "true");
  add("repetition_time", "median of samples");
  add("budget_seconds", fmt::format("{:g}", options.budget_seconds));
  add("slice_us", std::to_string(plan.slice.count() / 1000));
  add("largest_watched", std::to_string(plan.largest));
  add("kevent_backend", MUXBENCH_KEVENT_BACKEND);
#ifdef __OPTIMIZE__
  add("muxbench_optimised", "true");
#else
  add("muxbench_optimised", "false");
#endif
  add("library_build_type_means",
      "of libbenchmark itself; none of its code runs inside a timed region");
}

Result<> check_writable(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (fd) return {};
  return make_error("cannot write {}: {}; name another file with --out", path,
                    describe(last_errno()));
}

// min_time 0: a benchmark is run once for each repetition and uses its slice by itself.
Result<> initialize(const Options& options, const std::string& out) {
  std::vector<std::string> words{kProgram, "--benchmark_min_time=0",
                                 fmt::format("--benchmark_repetitions={}", options.repetitions),
                                 "--benchmark_enable_random_interleaving=true",
                                 "--benchmark_display_aggregates_only=true"};
  if (!out.empty()) {
    words.push_back("--benchmark_out=" + out);
    words.emplace_back("--benchmark_out_format=json");
  }
  words.insert(words.end(), options.rest.begin(), options.rest.end());
  std::vector<char*> argv;
  argv.reserve(words.size());
  for (std::string& word : words) argv.push_back(word.data());
  int argc = static_cast<int>(argv.size());
  benchmark::Initialize(&argc, argv.data());
  if (argc == 1) return {};
  return usage_error("there is no option {}; {} --help lists the options", argv[1], kProgram);
}

int run(const Options& options) {
  catch_interrupts();
  const auto begin = Clock::now();
  const std::string part = options.out.empty() ? "" : options.out + ".part";
  if (const auto good = initialize(options, part); !good)
    return print_error(kProgram, good.error());
  if (!part.empty()) {
    if (const auto good = check_writable(part); !good) return print_error(kProgram, good.error());
    set_unfinished_file(part);
  }
  const Plan plan = choose_plan(options, begin);
  describe(options, plan);
  register_syscall_floor();
  register_wait_cost(plan.largest);
  register_registration_cost(pairs_allowed());
  register_hand_over_cost();
  register_session_cost();

  Display display(options.quiet);
  benchmark::RunSpecifiedBenchmarks(&display);
  benchmark::Shutdown();
  if (interrupted()) end_interrupted();
  if (!part.empty() && ::rename(part.c_str(), options.out.c_str()) != 0) {
    return print_error(kProgram,
                       make_error("cannot write {}: {}", options.out, describe(last_errno())));
  }
  if (display.failures().empty()) return 0;
  return print_error(kProgram, make_error("{} runs failed, for example {}",
                                          display.failures().size(), display.failures().front()));
}

}  // namespace

}  // namespace muxbench

int main(int argc, char** argv) {
  using namespace muxbench;
  Options options;
  CLI::App app("Times the primitives of I/O multiplexing, with Google Benchmark.", kProgram);
  set_up_help(app);
  app.add_option("--budget", options.budget_seconds, "Seconds that the run may take (default: 35)")
      ->check(number(0.1, 36'000));
  app.add_option("--out", options.out, "Write Google Benchmark's JSON to this file, at the end");
  app.add_option("--repetitions", options.repetitions, "Repetitions of each benchmark (default: 5)")
      ->check(whole_number(1, 1000));
  app.add_option("--largest", options.largest,
                 "Descriptors to watch at most (default: as many as the limit and the time allow)")
      ->check(whole_number(8, 32'768));
  app.add_option("--slice", options.slice_ms,
                 "Milliseconds that a repetition of a benchmark may take (default: 50)")
      ->check(number(0.1, 50));
  app.add_flag("--quiet", options.quiet, "Print nothing but warnings and errors");
  app.footer("Options of Google Benchmark (--benchmark_filter=REGEX and others) are passed on.");
  app.allow_extras();
  name_values(app, {{"SECONDS", {"--budget"}},
                    {"FILE", {"--out"}},
                    {"N", {"--repetitions", "--largest"}},
                    {"MS", {"--slice"}}});
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return print_error(kProgram, command_line_error(error, kProgram));
  }
  options.rest = app.remaining();
  return run(options);
}
