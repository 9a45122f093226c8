// muxbench run: the measurement, from the command line to the charts.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/directory.h"
#include "base/format.h"
#include "base/output.h"
#include "base/parse.h"
#include "cli/commands.h"
#include "cli/load_host_options.h"
#include "cli/page_opener.h"
#include "cli/run_steps.h"
#include "run/default_paths.h"
#include "run/journal.h"
#include "run/latest_link.h"
#include "run/micro_benchmarks.h"
#include "run/run_parts.h"
#include "system/interrupt.h"
#include "system/machine_lock.h"
#include "system/network_namespace.h"

namespace muxbench {
namespace {

// What the command line says, before it is understood.
struct RunArguments {
  RunOptions options;
  std::string out;
  std::string experiments;
  std::string network;
  std::string duration;
  std::string target_ci;
  std::string budget;
  std::string method;
  std::string server_cpus;
  std::string load_cpus;
  std::string resume;
  std::string server_memory;
  bool share_machine = false;
  bool open = false;
};

// Nothing: the page is not to be opened.
using Opener = std::optional<Result<PageOpener>>;

Result<> read_cpus(const std::string& text, std::optional<std::vector<int>>& into) {
  if (text.empty()) return {};
  auto cpus = parse_cpu_list(text);
  if (!cpus) return cpus.error();
  into = std::move(*cpus);
  return {};
}

// What goes with a load from this machine only.
Result<> check_with_load_hosts(const RunArguments& arguments) {
  if (!arguments.load_cpus.empty()) {
    return usage_error("--load-cpus is for a load from this machine; load hosts use all of theirs");
  }
  if (arguments.network == "private" || arguments.network == "veth") {
    return usage_error("load hosts cannot reach a private network; leave out --network");
  }
  if (arguments.method == "slices") {
    return usage_error(
        "slices of milliseconds are for a load from this machine; leave out --method");
  }
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
  if (!arguments.server_memory.empty()) {
    const auto bytes = parse_count(arguments.server_memory);
    if (!bytes) return bytes.error();
    options.server_memory = *bytes;
  }
  if (arguments.method == "slices") options.method = Method::slices;
  if (arguments.method == "trials") options.method = Method::trials;
  if (!arguments.budget.empty()) {
    const auto budget = parse_duration(arguments.budget);
    if (!budget) return budget.error();
    options.budget = *budget;
  }
  if (arguments.open && !options.charts) {
    return usage_error("--open shows the page that --no-charts leaves out; leave out one of them");
  }
  options.private_network = arguments.network != "host";
  options.veth = arguments.network == "veth";
  if (options.load_hosts.any()) {
    if (auto good = check_with_load_hosts(arguments); !good) return good.error();
    options.private_network = false;
    options.cpus.elsewhere = true;
    options.method = Method::trials;
  } else if (!options.load_hosts.listen.empty()) {
    return usage_error("--listen is for --load-hosts; without them the load comes over loopback");
  }
  if (!arguments.experiments.empty()) options.experiments = arguments.experiments;
  if (!arguments.out.empty()) options.out = arguments.out;
  return options;
}

// The last failure counts.
int worse(int before, int now) { return now == 0 ? before : now; }

// The last line: where to look.
void print_place(const OutputFolder& folder) {
  if (const std::string page = folder.file("report.html"); exists(page)) {
    print("Page: {}\n", page);
    return;
  }
  std::string files;
  for (const char* name : {"report.json", "micro.json", "summary.md", "charts"}) {
    if (exists(folder.file(name))) files += fmt::format(" {}", name);
  }
  print("Results in {}:{}\n", folder.path(), files);
}

// That no page is opened spoils no result.
void open_page(Opener& opener, const OutputFolder& folder) {
  const std::string page = folder.file("report.html");
  if (!opener) return;
  const auto opened = !exists(page)  ? Result<>(make_error("it was not drawn"))
                      : opener->ok() ? (*opener)->open(page)
                                     : Result<>(opener->error());
  if (!opened) {
    print_stderr("{}: the page cannot be opened: {}; open {} in a browser\n", kProgram,
                 opened.error().message, page);
  }
}

int finish_run(const RunOptions& options, const OutputFolder& folder, const std::string& answer,
               Opener& opener, int status) {
  if (auto linked = point_latest_at(folder.path(), options.results_dir); !linked) {
    status = worse(status, print_error(kProgram, linked.error()));
  }
  if (options.charts) {
    forget_interrupt();
    status = worse(status, draw_results(options, folder));
  }
  if (!options.quiet && !answer.empty()) print("\n{}", answer);
  print_place(folder);
  flush_output(kProgram);  // before what follows on standard error
  open_page(opener, folder);
  return status;
}

// Makes `setup` that of a run that goes on, or says why it cannot.
Result<> go_on(const JournalContent& earlier, std::optional<RunSetup>& setup) {
  if (!setup) return usage_error("the experiments of that run are not there any more");
  RunRecord& record = setup->record;
  if (auto same = check_same(earlier, record, setup->order); !same) return same;
  record.started = earlier.record.started;
  record.context = earlier.record.context;
  record.notes.push_back(
      fmt::format("The run was interrupted and went on at {}. Steal time is counted from then on.",
                  rfc3339(std::chrono::system_clock::now())));
  return {};
}

int print_plan(const RunOptions& options, const RunParts& parts,
               const std::optional<RunSetup>& setup) {
  if (setup) write_output(describe_plan(*setup, true));
  if (parts.micro) print("{}\n", describe(find_profile(options.profile)->micro));
  return 0;
}

// As with servers, whose setup moves into it.
void enter_network(const RunOptions& options) {
  if (!options.private_network) return;
  const auto entered = enter_private_network();
  if (!entered && !options.quiet) {
    print_stderr("The host's network is used: {}.\n", entered.error().message);
  }
}

Result<OutputFolder> folder_of(const RunOptions& options, const std::optional<RunSetup>& setup,
                               bool goes_on) {
  std::vector<std::string> kept;  // from earlier runs
  if (setup && !goes_on) kept.emplace_back("report.json");
  if (!goes_on) kept.emplace_back("micro.json");
  return OutputFolder::prepare(options.out, options.results_dir, kept,
                               setup ? setup->record.started : std::chrono::system_clock::now());
}

int measure(const RunOptions& options, const RunParts& parts, std::optional<RunSetup>& setup,
            Clock::time_point begin, Opener& opener, std::optional<Journal> earlier) {
  const auto folder = folder_of(options, setup, earlier.has_value());
  if (!folder) return print_error(kProgram, folder.error());
  int status = 0;
  std::string answer;
  if (setup) {
    const Measured measured = measure_servers(*setup, options, *folder, begin, std::move(earlier));
    if (!measured.reported) return measured.status;
    status = measured.status;
    answer = measured.answer;
  }
  // After an interruption nothing more is measured.
  if (parts.micro && interrupt_status() == 0) {
    status = worse(status, measure_primitives(options, *folder));
  }
  return finish_run(options, *folder, answer, opener, status);
}

// `earlier`: of the run that goes on, if it does not begin.
int run(const RunArguments& arguments, std::optional<Journal> earlier = {}) {
  const auto begin = Clock::now();
  const auto options = understand(arguments);
  if (!options) return print_error(kProgram, options.error());
  const auto parts = choose_parts(*options);
  if (!parts) return print_error(kProgram, parts.error());
  std::optional<Result<MachineLock>> alone;
  if (!options->dry_run) alone.emplace(MachineLock::take(arguments.share_machine));
  if (alone && !*alone) return print_error(kProgram, alone->error());
  Opener opener;
  if (arguments.open && !options->dry_run) opener.emplace(PageOpener::make());
  std::optional<RunSetup> setup;
  if (!parts->experiments.empty()) {
    auto made = set_up_run(*options, *parts);
    if (interrupted()) return interrupt_status();
    if (!made) return print_error(kProgram, made.error());
    setup = std::move(*made);
  }
  if (options->dry_run) return print_plan(*options, *parts, setup);
  if (!setup) enter_network(*options);
  if (earlier) {
    if (auto ready = go_on(earlier->content(), setup); !ready) {
      return print_error(kProgram, ready.error());
    }
  }
  return measure(*options, *parts, setup, begin, opener, std::move(earlier));
}

Result<> check_alone(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() == 0 || option->check_lname("resume")) continue;
    return usage_error("--resume repeats the command line of the run that goes on; leave out {}",
                       option->get_name());
  }
  return {};
}

void describe_run(CLI::App* command, RunArguments* arguments) {
  RunOptions& options = arguments->options;
  const Paths paths = default_paths();
  options.servers_dir = paths.servers_dir;
  options.loadgen = paths.loadgen;
  options.load_hosts.program = paths.loadgen_mpi;
  options.experiments_dir = paths.experiments_dir;
  options.micro_program = paths.micro_program;
  options.plots_dir = paths.plots_dir;
  options.results_dir = paths.results_dir;
  // Scripts put their defaults before what their user wrote: the last one counts.
  command->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  command->add_option("--profile", options.profile,
                      "How long it takes: smoke (30 s), quick (4 minutes, the default) or full (as "
                      "the experiment files say). 4 s, 20 s and 4 minutes of it go to the "
                      "micro-benchmarks");
  command->add_option(
      "--models", options.models,
      "Models, separated by commas; patterns such as 'epoll_*' are allowed (default: "
      "all)");
  command->add_option(
      "--experiments", arguments->experiments,
      "Experiments, separated by commas; patterns are allowed. \"micro\" stands for "
      "the micro-benchmarks (default: those of the profile)");
  command->add_option("--out", arguments->out,
                      "Folder of the result (default: TIME-HOST in --results-dir)");
  command->add_option("--seed", options.seed, "Seed for the order of the trials (default: random)")
      ->check(whole_number(0));
  command
      ->add_option("--repetitions", options.fixed.repetitions,
                   "Rounds or trials of each point (default: as the profile has time for)")
      ->check(whole_number(1, kMostRepetitions));
  command->add_option("--duration", arguments->duration,
                      "Measured time of each model in a round, or of a trial, such as 500ms");
  command->add_option(
      "--target-ci", arguments->target_ci,
      "Go on until the result of every cell is known to this precision, such as 2%; "
      "in slices this means the ratio to the reference");
  command->add_option("--budget", arguments->budget,
                      "Measure servers for this long, such as 5min. Time left after the planned "
                      "rounds goes to models for which it is undecided whether they differ");
  command
      ->add_option("--max-trials", options.max_trials,
                   "Trials of a cell at most, with --target-ci (default: 30)")
      ->check(whole_number(2, kMostRepetitions));
  command
      ->add_option(
          "--method", arguments->method,
          "Measure everything in slices that take turns, or everything in trials (default: "
          "slices, and trials where long windows are needed)")
      ->check(one_of({"slices", "trials"}));
  command->add_option("--server-cpus", arguments->server_cpus, "CPUs for the server, such as 0-1");
  command->add_option("--load-cpus", arguments->load_cpus, "CPUs for the load generator");
  command->add_flag("--share-cpus", options.cpus.share,
                    "Let server and load generator run on the same CPUs");
  describe_load_hosts(command, &options.load_hosts);
  command
      ->add_option("--network", arguments->network,
                   "private (default): a loopback of its own; host: the machine's loopback; veth: "
                   "the load comes from another private network over a veth pair")
      ->check(one_of({"private", "host", "veth"}));
  command
      ->add_option(
          "--server", options.external_servers,
          "Measure another server too: NAME=COMMAND with {port} in it, NAME:http=COMMAND "
          "with {root} too, or a file such as servers/external/nginx.json. May be repeated")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  command->add_option("--server-memory", arguments->server_memory,
                      "Most memory of a server's process, such as 2GiB (default: 0, no limit). "
                      "Reserved stacks of threads count");
  command->add_option("--servers-dir", options.servers_dir, "Folder of the server_* programs");
  command->add_option("--loadgen", options.loadgen, "The load generator");
  command->add_option("--experiments-dir", options.experiments_dir, "Folder of experiment files");
  command->add_option("--micro-program", options.micro_program, "The micro-benchmarks");
  command->add_option("--plots-dir", options.plots_dir, "Folder of the scripts that draw charts");
  command->add_option(
      "--results-dir", options.results_dir,
      "Folder of results, where `latest` points to the newest one (default: results "
      "in the source tree, or else in the current folder)");
  command->add_flag("!--no-micro", options.micro, "Do not run the micro-benchmarks");
  command->add_flag("!--no-charts", options.charts, "Draw no charts and no page");
  command->add_flag("--open", arguments->open, "Open the page in a browser at the end");
  command->add_flag("!--no-counting", options.count_syscalls, "Do not count system calls");
  command->add_flag("--quiet", options.quiet, "Print only where the result is, and errors");
  command->add_flag("--dry-run", options.dry_run,
                    "Print the plan and the time it takes, and measure nothing");
  command->add_option("--resume", arguments->resume,
                      "Continue the run in this folder that was killed or interrupted. It takes no "
                      "other option");
  command->add_flag("--share-machine", arguments->share_machine,
                    "Measure even while another run does; each disturbs the other");
  name_values(*command, {{"NAME", {"--profile", "--method", "--network"}},
                         {"NAMES", {"--models", "--experiments"}},
                         {"DIR",
                          {"--out", "--servers-dir", "--experiments-dir", "--plots-dir",
                           "--results-dir", "--resume"}},
                         {"N", {"--seed", "--repetitions", "--max-trials"}},
                         {"TIME", {"--duration", "--budget"}},
                         {"PERCENT", {"--target-ci"}},
                         {"CPUS", {"--server-cpus", "--load-cpus"}},
                         {"SERVER", {"--server"}},
                         {"FILE", {"--loadgen", "--micro-program"}}});
}

// Its own command line again, in the folder in which that was given.
Result<RunArguments> arguments_of(const JournalContent& earlier, const std::string& folder) {
  RunArguments arguments;
  CLI::App command;
  describe_run(&command, &arguments);
  const auto& words = earlier.record.command_line;  // "muxbench", "run", and the options
  command.parse(std::vector<std::string>(words.rbegin(), words.rend() - 2));
  arguments.options.command_line = words;
  arguments.options.seed = earlier.record.seed;
  arguments.out = folder;
  if (::chdir(earlier.working_folder.c_str()) == 0) return arguments;
  return usage_error("cannot enter {}, in which the run began: {}", earlier.working_folder,
                     describe(last_errno()));
}

int resume(const std::string& asked) {
  std::error_code ignored;
  const std::string folder = std::filesystem::absolute(asked, ignored).string();
  auto journal = Journal::reopen(folder);
  if (!journal) return print_error(kProgram, journal.error());
  const auto arguments = arguments_of(journal->content(), folder);
  if (!arguments) return print_error(kProgram, arguments.error());
  return run(*arguments, std::move(*journal));
}

}  // namespace

void add_run_command(CLI::App& app, int& status, const std::vector<std::string>& command_line) {
  auto arguments = std::make_shared<RunArguments>();
  arguments->options.command_line = command_line;
  CLI::App* command = app.add_subcommand(
      "run", "Measure servers and primitives, write a report and draw its charts");
  describe_run(command, arguments.get());
  command->callback([command, arguments, &status] {
    if (arguments->resume.empty()) {
      status = run(*arguments);
    } else if (const auto alone = check_alone(*command); !alone) {
      status = print_error(kProgram, alone.error());
    } else {
      status = resume(arguments->resume);
    }
  });
}

}  // namespace muxbench
