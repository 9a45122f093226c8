// muxbench run: the measurement, from the command line to the charts.
#include <cstdlib>

#include "base/directory.h"
#include "base/output.h"
#include "base/parse.h"
#include "cli/commands.h"
#include "cli/run_steps.h"
#include "run/default_paths.h"
#include "run/latest_link.h"
#include "run/micro_benchmarks.h"
#include "run/run_parts.h"
#include "system/interrupt.h"
#include "system/network_namespace.h"

namespace muxbench {
namespace {

// What the command line says, before it is understood.
struct RunArguments {
  RunOptions options;
  std::string out;
  std::string experiments;
  std::string network = "private";
  std::string duration;
  std::string target_ci;
  std::string budget;
  std::string method;
  std::string server_cpus;
  std::string load_cpus;
  std::uint64_t seed = 0;
  unsigned repetitions = 0;
};

Result<> read_cpus(const std::string& text, std::optional<std::vector<int>>& into) {
  if (text.empty()) return {};
  auto cpus = parse_cpu_list(text);
  if (!cpus) return cpus.error();
  into = std::move(*cpus);
  return {};
}

Result<RunOptions> understand(const RunArguments& arguments) {
  RunOptions options = arguments.options;
  if (auto read = read_cpus(arguments.server_cpus, options.cpus.server); !read) return read.error();
  if (auto read = read_cpus(arguments.load_cpus, options.cpus.load); !read) return read.error();
  if (!arguments.duration.empty()) {
    const auto duration = parse_duration(arguments.duration);
    if (!duration) return duration.error();
    if (*duration < std::chrono::milliseconds(1)) {
      return usage_error("--duration {} is too short; measure for 1ms or longer",
                         arguments.duration);
    }
    options.fixed.duration = *duration;
  }
  if (!arguments.target_ci.empty()) {
    char* end = nullptr;
    const double percent = std::strtod(arguments.target_ci.c_str(), &end);
    if (!(percent > 0) || !(percent < 100) || (*end != '\0' && std::string(end) != "%")) {
      return usage_error("--target-ci {} is no percentage between 0 and 100, such as 2%",
                         arguments.target_ci);
    }
    options.target_ci = percent / 100;
  }
  if (arguments.method == "slices") options.method = Method::slices;
  if (arguments.method == "trials") options.method = Method::trials;
  if (!arguments.budget.empty()) {
    const auto budget = parse_duration(arguments.budget);
    if (!budget) return budget.error();
    options.budget = *budget;
  }
  options.private_network = arguments.network == "private";
  if (!arguments.experiments.empty()) options.experiments = arguments.experiments;
  if (!arguments.out.empty()) options.out = arguments.out;
  return options;
}

// The last failure counts, and an interruption more than any.
int worse(int before, int now) { return before == kExitInterrupted || now == 0 ? before : now; }

void print_place(const OutputFolder& folder) {
  std::string files;
  for (const char* name : {"report.html", "report.json", "micro.json", "summary.md", "charts"}) {
    if (exists(folder.file(name))) files += fmt::format(" {}", name);
  }
  print("Results in {}:{}\n", folder.path(), files);
}

int finish_run(const RunOptions& options, const OutputFolder& folder, const std::string& answer,
               int status) {
  if (auto linked = point_latest_at(folder.path(), options.results_dir); !linked) {
    status = worse(status, print_error(kProgram, linked.error()));
  }
  if (options.charts) {
    forget_interrupt();
    status = worse(status, draw_results(options, folder));
  }
  if (!options.quiet && !answer.empty()) print("\n{}", answer);
  print_place(folder);
  return status;
}

int run(const RunArguments& arguments) {
  const auto begin = Clock::now();
  const auto options = understand(arguments);
  if (!options) return print_error(kProgram, options.error());
  const auto parts = choose_parts(*options);
  if (!parts) return print_error(kProgram, parts.error());
  std::optional<RunSetup> setup;
  if (!parts->experiments.empty()) {
    auto made = set_up_run(*options, *parts);
    if (interrupted()) return kExitInterrupted;
    if (!made) return print_error(kProgram, made.error());
    setup = std::move(*made);
  }
  if (options->dry_run) {
    if (setup) write_output(describe_plan(*setup, true));
    if (parts->micro) print("{}\n", describe(find_profile(options->profile)->micro));
    return 0;
  }
  if (!setup && options->private_network) {  // as with servers, whose setup moves into it
    const auto entered = enter_private_network();
    if (!entered && !options->quiet) {
      print_stderr("The host's network is used: {}.\n", entered.error().message);
    }
  }
  std::vector<std::string> files{"micro.json"};
  if (setup) files.insert(files.begin(), "report.json");
  const auto folder =
      OutputFolder::prepare(options->out, options->results_dir, files,
                            setup ? setup->record.started : std::chrono::system_clock::now());
  if (!folder) return print_error(kProgram, folder.error());

  int status = 0;
  std::string answer;
  if (setup) {
    status = measure_servers(*setup, *options, *folder, begin, answer);
    if (!exists(folder->file("report.json"))) return status;
  }
  // After an interruption nothing more is measured.
  if (parts->micro && status != kExitInterrupted) {
    status = worse(status, measure_primitives(*options, *folder));
  }
  return finish_run(*options, *folder, answer, status);
}

}  // namespace

void add_run_command(CLI::App& app, int& status, const std::vector<std::string>& command_line) {
  auto arguments = std::make_shared<RunArguments>();
  RunOptions& options = arguments->options;
  const Paths paths = default_paths();
  options.servers_dir = paths.servers_dir;
  options.loadgen = paths.loadgen;
  options.experiments_dir = paths.experiments_dir;
  options.micro_program = paths.micro_program;
  options.plots_dir = paths.plots_dir;
  options.results_dir = paths.results_dir;
  options.command_line = command_line;

  CLI::App* command = app.add_subcommand(
      "run", "Measure the models and the primitives, write a report and draw its charts");
  // Scripts put their defaults before what their user wrote: the last one counts.
  command->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  command->add_option(
      "--profile", options.profile,
      "smoke (30 s), quick (4 minutes, the default) or full (as the files say); 4 s, "
      "20 s and 4 minutes of that are the micro-benchmarks'");
  command->add_option("--models", options.models, "Models: a,b, globs allowed (default: all)");
  command->add_option("--experiments", arguments->experiments,
                      "Experiments: a,b, globs allowed; \"micro\" names the micro-benchmarks, so "
                      "that --experiments micro runs them alone (default: those of the profile)");
  command->add_option("--out", arguments->out,
                      "Folder of the result (default: TIME-HOST in --results-dir)");
  auto* seed = command->add_option("--seed", arguments->seed, "Seed of the order of the trials");
  auto* repetitions =
      command
          ->add_option("--repetitions", arguments->repetitions, "Rounds of each point, or trials")
          ->check(CLI::Range(1U, kMostRepetitions));
  command->add_option("--duration", arguments->duration,
                      "Measured time of each model in a round, or of a trial, such as 500ms");
  command->add_option(
      "--target-ci", arguments->target_ci,
      "Go on until the metric of every cell's experiment is known to this, such as 2%; in "
      "slices, its ratio to the reference");
  command->add_option("--budget", arguments->budget,
                      "Measure servers for this long, such as 5min: what is left after the planned "
                      "rounds goes to the models of which it is open whether they differ");
  command->add_option("--max-trials", options.max_trials, "Of a cell, with --target-ci (30)")
      ->check(CLI::Range(2U, kMostRepetitions));
  command
      ->add_option("--method", arguments->method,
                   "Measure all in slices that take turns, or all in trials (default: slices, and "
                   "trials where long windows are needed)")
      ->check(CLI::IsMember({"slices", "trials"}));
  command->add_option("--server-cpus", arguments->server_cpus, "CPUs of the server, such as 0-1");
  command->add_option("--load-cpus", arguments->load_cpus, "CPUs of the load generator");
  command->add_flag("--share-cpus", options.cpus.share, "Let the two run on the same CPUs");
  command->add_option("--network", arguments->network, "A private loopback, or the host's")
      ->check(CLI::IsMember({"private", "host"}));
  command
      ->add_option("--server", options.external_servers,
                   "Measure another server too: NAME=COMMAND with {port} in it, "
                   "NAME:http=COMMAND with {root}, or an entry such as "
                   "servers/external/nginx.json; may be repeated")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  command->add_option("--servers-dir", options.servers_dir, "Folder of the server_* programs");
  command->add_option("--loadgen", options.loadgen, "The load generator");
  command->add_option("--experiments-dir", options.experiments_dir, "Folder of experiment files");
  command->add_option("--micro-program", options.micro_program, "The micro-benchmarks");
  command->add_option("--plots-dir", options.plots_dir, "Folder of the scripts that draw");
  command->add_option("--results-dir", options.results_dir,
                      "Folder of results (default: results of the source tree, else here), where "
                      "`latest` points to the newest one");
  command->add_flag("!--no-micro", options.micro, "Leave the micro-benchmarks out");
  command->add_flag("!--no-charts", options.charts, "Draw no charts and no page");
  command->add_flag("!--no-counting", options.count_syscalls,
                    "Leave out the pass that counts system calls");
  command->add_flag("--quiet", options.quiet, "Print only where the result is, and errors");
  command->add_flag("--dry-run", options.dry_run, "Print the plan and the estimate, and stop");
  command->callback([arguments, seed, repetitions, &status] {
    if (seed->count() > 0) arguments->options.seed = arguments->seed;
    if (repetitions->count() > 0) arguments->options.fixed.repetitions = arguments->repetitions;
    status = run(*arguments);
  });
}

}  // namespace muxbench
