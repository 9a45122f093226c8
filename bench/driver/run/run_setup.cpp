#include "run/run_setup.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "base/format.h"
#include "base/parse.h"
#include "plan/external_server.h"
#include "plan/extra_trials.h"
#include "plan/name_pattern.h"
#include "run/descriptor_limit.h"
#include "system/cgroup.h"
#include "system/host.h"
#include "system/network_namespace.h"
#include "trial/load_launcher.h"

namespace muxbench {
namespace {

namespace fs = std::filesystem;

template <typename T>
std::vector<std::string> names_of(const std::vector<T>& items) {
  std::vector<std::string> names;
  for (const T& item : items) names.push_back(item.name);
  return names;
}

template <typename T>
std::vector<T> choose(const std::vector<T>& items, const std::vector<std::size_t>& places) {
  std::vector<T> chosen;
  for (const std::size_t place : places) chosen.push_back(items[place]);
  return chosen;
}

Result<std::vector<Model>> choose_models(const RunOptions& options, const CpuPlan& cpus) {
  auto all = discover_models(options.servers_dir, cpus.server);
  if (!all) return all.error();
  for (const std::string& text : options.external_servers) {
    auto model = external_server(text);
    if (!model) return model.error();
    const auto names = names_of(*all);
    if (std::find(names.begin(), names.end(), model->name) != names.end()) {
      return usage_error("--server {}: there is a model of that name; choose another", text);
    }
    all->push_back(std::move(*model));
  }
  const auto places = select_names(names_of(*all), options.models, "model");
  if (!places) return places.error();
  auto chosen = choose(*all, *places);
  for (const Model& model : *all) {  // a --server is meant, whatever --models says
    const auto names = names_of(chosen);
    const bool left_out = std::find(names.begin(), names.end(), model.name) == names.end();
    if (model.external && left_out) chosen.push_back(model);
  }
  return chosen;
}

// Which programs were measured, and which measured them.
void record_sums(RunRecord& record, const std::string& loadgen) {
  std::error_code error;
  const std::string driver = fs::read_symlink("/proc/self/exe", error).string();
  std::vector<std::string> programs{loadgen, driver};
  for (const Model& model : record.models) programs.push_back(program_of(model));
  std::erase(programs, "");
  const auto sums = sha256_of(programs);
  const auto sum_of = [&](const std::string& program) {
    const auto sum = sums.find(program);
    return sum == sums.end() ? std::string() : sum->second;
  };
  record.loadgen_sha256 = sum_of(loadgen);
  record.driver_sha256 = sum_of(driver);
  for (Model& model : record.models) {
    if (auto sum = sum_of(program_of(model)); !sum.empty()) model.description["sha256"] = sum;
  }
}

Result<> check_loadgen(const std::string& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0) return {};
  return usage_error("there is no load generator {}; build it, or name it with --loadgen", path);
}

Result<> check_something_runs(const std::vector<Cell>& cells) {
  const bool runs =
      std::any_of(cells.begin(), cells.end(), [](const Cell& cell) { return !cell.skipped; });
  if (runs) return {};
  if (cells.empty()) {
    return usage_error(
        "no chosen experiment is for any of the chosen models; look at \"models\" "
        "in the experiment files");
  }
  return Error{fmt::format("nothing can run here: all {} cells are skipped, for example {}: {}",
                           cells.size(), cells.front().id, *cells.front().skipped),
               Exit::unavailable};
}

std::string in_one_line(const Fitted& fitted, const Profile& profile) {
  std::string text;
  if (!fitted.shortened.empty()) {
    text += fmt::format("shortens {} (--dry-run says how)", fmt::join(fitted.shortened, ", "));
  }
  if (!fitted.left_out.empty()) {
    text += fmt::format("{}leaves out {} (--experiments NAME runs one)",
                        text.empty() ? "" : " and ", fmt::join(fitted.left_out, ", "));
  }
  return text.empty() ? "" : fmt::format("Profile {} {}.", profile.name, text);
}

// Last of all that can fail, as it takes seconds. Nothing is started on other machines for a dry run.
Result<> choose_load_hosts(const RunOptions& options, RunRecord& record) {
  if (!options.load_hosts.any()) return {};
  auto hosts = find_load_hosts(options.load_hosts);
  if (!hosts) return hosts.error();
  record.load_hosts = std::move(*hosts);
  if (const auto address = Address::parse(record.load_hosts.listen + ":0")) {
    record.listens = interface_of(*address);
  }
  if (options.dry_run) return {};
  auto probed = probe_load_hosts(record.load_hosts);
  if (!probed) {
    return make_error("{}; muxbench doctor --load-hosts looks at each host",
                      probed.error().message);
  }
  record.load_host_facts = std::move(probed->hosts);
  record.launching = probed->launching;
  return {};
}

// What was asked for by name is there, or there is no run.
Result<> choose_veth(const RunOptions& options, RunSetup& setup) {
  if (!options.veth) return {};
  if (!setup.record.private_network) {
    return make_error("--network veth needs two private networks: {}", setup.record.notes.back());
  }
  setup.record.veth = true;
  if (options.dry_run) return {};
  auto made = make_veth_network();
  if (!made) return made.error();
  setup.veth = std::move(*made);
  return {};
}

void choose_network(const RunOptions& options, RunRecord& record) {
  if (!options.private_network) return;
  const auto entered = options.dry_run ? try_private_network() : enter_private_network();
  record.private_network = entered.ok();
  if (!entered) {
    record.notes.push_back("The host's network is used: " + entered.error().message + ".");
  }
}

void choose_counting(const RunOptions& options, RunSetup& setup) {
  if (!options.count_syscalls) return;
  CountingSetup counting = set_up_counting();
  setup.counter = std::move(counting.counter);
  setup.record.backends = std::move(counting.backends);
  if (setup.counter) return;
  std::string reasons;
  for (const CountingBackend& backend : setup.record.backends) {
    reasons += fmt::format("; {}: {}", backend.name, backend.reason);
  }
  const bool in_user_namespace = setup.record.private_network && ::geteuid() != 0;
  setup.record.notes.push_back(
      "System calls are not counted" + reasons +
      (in_user_namespace ? "; capabilities do not reach into the user namespace of a private "
                           "network, --network host does without it."
                         : "."));
}

}  // namespace

Result<RunSetup> set_up_run(const RunOptions& options, const RunParts& parts) {
  std::vector<Experiment> experiments = parts.experiments;
  auto profile = find_profile(options.profile);
  if (!profile) return profile.error();
  RunSetup setup{.profile = *profile};
  if (options.budget) {
    profile->limit = *options.budget;
    profile->limit_is_asked_for = true;
    profile->target = *options.budget / 100 * 93;
    setup.profile = *profile;
  }
  RunRecord& record = setup.record;
  record.started = std::chrono::system_clock::now();
  const LoadAverage load_before = load_average();
  record.steal_time_before = steal_time_since_boot();
  record.profile = options.profile;
  record.command_line = options.command_line;
  record.context =
      envelope_context(record.command_line.front(), rfc3339(record.started), load_before);
  record.seed = options.seed.value_or(std::random_device{}());

  if (auto enough = check_repetitions(experiments, *profile, options.fixed); !enough) {
    return enough.error();
  }
  auto cpus = plan_cpus(allowed_cpus(), options.cpus);
  if (!cpus) return cpus.error();
  auto models = choose_models(options, *cpus);
  if (!models) return models.error();
  if (!options.load_hosts.any()) {
    if (auto good = check_loadgen(options.loadgen); !good) return good.error();
  }
  if (auto reached = choose_load_hosts(options, record); !reached) return reached.error();
  record.cpus = std::move(*cpus);
  record.models = std::move(*models);
  record_sums(record, options.load_hosts.any() ? options.load_hosts.program : options.loadgen);

  const CellLimits limits{.descriptors = raise_descriptor_limit(),
                          .cpus = record.cpus.server.size(),
                          .trial_overhead = profile->longest_overhead,
                          .load_hosts = record.load_hosts.any(),
                          .has_cgroup = Cgroup::make().ok()};
  std::map<std::string, std::string> notes;
  for (Experiment& experiment : experiments) {
    experiment = for_cpus(std::move(experiment), limits.cpus, notes[experiment.name]);
    if (options.method) experiment.method = options.method;
    // A constant, as the times of a plan are conditions that reports are compared under.
    if (record.load_hosts.any()) experiment.launching = std::chrono::seconds(2);
  }
  const Json sysctls_outside = sysctls();
  choose_network(options, record);
  if (auto chosen = choose_veth(options, setup); !chosen) return chosen.error();
  record.host = host_section(sysctls_outside);
  // After that: a backend must prove itself in the namespaces that it will count in.
  choose_counting(options, setup);
  const Counting counting = setup.counter ? profile->counting : Counting::none;
  Fitted fitted =
      fit(experiments, experiment_cost(record.models, limits, counting), *profile, options.fixed);
  record.experiments = std::move(fitted.experiments);
  const auto reductions = fitted.shortened.size() + fitted.left_out.size();
  setup.reductions.insert(fitted.notes.begin(),
                          fitted.notes.begin() + static_cast<std::ptrdiff_t>(reductions));
  record.notes.insert(record.notes.end(), fitted.notes.begin(), fitted.notes.end());
  for (const Experiment& experiment : record.experiments) {
    if (!notes[experiment.name].empty()) record.notes.push_back(notes[experiment.name]);
  }
  if (!parts.left_out.empty()) {
    record.notes.push_back(fmt::format("Profile {} leaves out {}; --experiments NAME runs one.",
                                       profile->name, fmt::join(parts.left_out, ", ")));
    setup.reductions.insert(record.notes.back());
    fitted.left_out.insert(fitted.left_out.end(), parts.left_out.begin(), parts.left_out.end());
  }
  setup.reduced = in_one_line(fitted, *profile);
  setup.estimate = fitted.estimate;
  record.cells = make_cells(record.models, record.experiments, limits);
  if (auto good = check_something_runs(record.cells); !good) return good.error();
  setup.order = order_trials(record.cells, record.experiments, record.seed, counting,
                             twin_cells(record.cells, record.experiments, record.models));
  for (const PlannedTrial& trial : setup.order) {
    if (trial.twin) continue;
    if (!trial.counting) ++record.planned_trials;
    if (trial.counting || trial.counted) ++record.planned_counting_trials;
  }

  if (record.cpus.server == record.cpus.load) {
    record.notes.push_back(
        "The server and the load generator share their CPUs, so the numbers are "
        "not comparable with those of other runs.");
  }
  if (const auto group = Cgroup::make(); !group) {
    record.notes.push_back(
        "CPU time is read from process clocks, and in ticks of 10 ms for children that ended: " +
        group.error().message + ".");
  }
  return setup;
}

std::string describe_plan(const RunSetup& setup, bool every_cell) {
  const RunRecord& record = setup.record;
  std::size_t skipped = 0;
  for (const Cell& cell : record.cells) skipped += cell.skipped ? 1 : 0;
  const std::string counting =
      record.planned_counting_trials == 0
          ? ""
          : fmt::format(" and {} that count system calls", record.planned_counting_trials);
  std::string text = fmt::format(
      "{} trials of {} cells ({} skipped){}, about {}; server on {}, load on {}, {} network, seed "
      "{}\n",
      record.planned_trials, record.cells.size(), skipped, counting,
      format_duration(setup.estimate), format_cpus(record.cpus.server),
      record.load_hosts.any() ? fmt::format("{}", fmt::join(record.load_hosts.names, ", "))
                              : format_cpus(record.cpus.load),
      network_of(record), record.seed);
  for (const std::string& note : record.notes) {
    if (every_cell || !setup.reductions.contains(note)) text += note + "\n";
  }
  if (!every_cell) return setup.reduced.empty() ? text : text + setup.reduced + "\n";
  for (const Cell& cell : record.cells) {
    const Experiment& experiment = record.experiments[cell.experiment];
    text += cell.skipped ? fmt::format("  {}  skipped: {}\n", cell.id, *cell.skipped)
                         : fmt::format("  {}  {} x {}\n", cell.id, experiment.repetitions,
                                       to_string(experiment.duration));
  }
  return text;
}

}  // namespace muxbench
