// muxbench run: the measurement.
#include <algorithm>
#include <cstdlib>

#include "analysis/findings.h"
#include "base/output.h"
#include "base/parse.h"
#include "cli/commands.h"
#include "export/summary_markdown.h"
#include "report/report_check.h"
#include "report/write_report.h"
#include "run/default_paths.h"
#include "run/make_report.h"
#include "run/run_trials.h"
#include "system/interrupt.h"

namespace muxbench {
namespace {

// What the command line says, before it is understood.
struct RunArguments {
  RunOptions options;
  std::string out;
  std::string network = "private";
  std::string duration;
  std::string target_ci;
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
  options.private_network = arguments.network == "private";
  if (!arguments.out.empty()) options.out = arguments.out;
  return options;
}

bool all_good(const RunRecord& record) {
  const auto good = [](const TrialResult& trial) { return trial.ok() && trial.stop_error.empty(); };
  return std::all_of(record.trials.begin(), record.trials.end(), good) &&
         std::all_of(record.counting_trials.begin(), record.counting_trials.end(), good);
}

int run(const RunArguments& arguments) {
  const auto begin = Clock::now();
  const auto options = understand(arguments);
  if (!options) return print_error(kProgram, options.error());
  auto setup = set_up_run(*options);
  if (interrupted()) return kExitInterrupted;
  if (!setup) return print_error(kProgram, setup.error());
  if (options->dry_run) {
    write_output(describe_plan(*setup, true));
    return 0;
  }
  RunRecord& record = setup->record;
  const auto folder = OutputFolder::prepare(options->out, record.started);
  if (!folder) return print_error(kProgram, folder.error());
  const auto scratch = ScratchFolder::make();
  if (!scratch) return print_error(kProgram, scratch.error());

  if (!options->quiet) write_error(describe_plan(*setup, false));
  run_trials(*setup, *options, scratch->path(), begin);
  report::Report report = make_report(record);
  report.conclusions = conclude(report);
  const Json json = to_json(report);
  // What was measured is kept, even if a load generator of one's own left something in it that
  // cannot be read.
  if (auto written = folder->write("report.json", to_text(json)); !written) {
    return print_error(kProgram, written.error());
  }
  if (auto good = check_report(json, "report.json"); !good) {
    return print_error(kProgram, good.error());
  }
  const std::string text = summary_markdown(report);
  if (auto written = folder->write("summary.md", text); !written) {
    return print_error(kProgram, written.error());
  }
  if (!options->quiet) print("{}\n", text);
  print("{}\n", folder->file("report.json"));
  flush_output(kProgram);  // before what follows on standard error
  if (record.interrupted) {
    print_stderr("{}: interrupted; the report has the {} trials that had finished\n", kProgram,
                 record.trials.size());
    return kExitInterrupted;
  }
  if (all_good(record)) return 0;
  return print_error(kProgram,
                     make_error("some trials failed; the report says which, and `muxbench verify` "
                                "checks a server by itself"));
}

}  // namespace

void add_run_command(CLI::App& app, int& status, const std::vector<std::string>& command_line) {
  auto arguments = std::make_shared<RunArguments>();
  RunOptions& options = arguments->options;
  const Paths paths = default_paths();
  options.servers_dir = paths.servers_dir;
  options.loadgen = paths.loadgen;
  options.experiments_dir = paths.experiments_dir;
  options.command_line = command_line;

  CLI::App* command = app.add_subcommand("run", "Measure the models and write a report");
  // Scripts put their defaults before what their user wrote: the last one counts.
  command->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  command->add_option("--profile", options.profile,
                      "smoke (30 s), quick (5 minutes, the default) or full (as the files say)");
  command->add_option("--models", options.models, "Models: a,b, globs allowed (default: all)");
  command->add_option("--experiments", options.experiments, "Experiments: a,b, globs allowed");
  command->add_option("--out", arguments->out, "Folder of the report (default: results/TIME-HOST)");
  auto* seed = command->add_option("--seed", arguments->seed, "Seed of the order of the trials");
  auto* repetitions =
      command->add_option("--repetitions", arguments->repetitions, "Trials of each cell")
          ->check(CLI::Range(1U, kMostRepetitions));
  command->add_option("--duration", arguments->duration, "Measured time of a trial, such as 500ms");
  command->add_option(
      "--target-ci", arguments->target_ci,
      "Go on until the metric of every cell's experiment is known to this, such as 2%");
  command->add_option("--max-trials", options.max_trials, "Of a cell, with --target-ci (30)")
      ->check(CLI::Range(2U, kMostRepetitions));
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
  command->add_flag("!--no-counting", options.count_syscalls,
                    "Leave out the pass that counts system calls");
  command->add_flag("--quiet", options.quiet, "Print only the report's place and errors");
  command->add_flag("--dry-run", options.dry_run, "Print the plan and the estimate, and stop");
  command->callback([arguments, seed, repetitions, &status] {
    if (seed->count() > 0) arguments->options.seed = arguments->seed;
    if (repetitions->count() > 0) arguments->options.fixed.repetitions = arguments->repetitions;
    status = run(*arguments);
  });
}

}  // namespace muxbench
