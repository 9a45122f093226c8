// muxbench doctor: what this host offers, and the remedy for each lack.
#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "base/format.h"
#include "base/output.h"
#include "cli/commands.h"
#include "cli/doctor_load_hosts.h"
#include "cli/load_host_options.h"
#include "plan/cpu_plan.h"
#include "plan/experiment_file.h"
#include "plan/models.h"
#include "run/charts.h"
#include "run/default_paths.h"
#include "system/host.h"
#include "system/host_checks.h"

namespace muxbench {
namespace {

void programs(const Paths& paths, std::vector<Diagnosis>& list) {
  const auto models = discover_models(paths.servers_dir);
  if (!models) {
    list.push_back(missing("servers", "none", models.error().message));
  } else {
    std::size_t available = 0;
    for (const Model& model : *models) available += model.available ? 1 : 0;
    list.push_back(good("servers", fmt::format("{} of {} models can run (muxbench list)", available,
                                               models->size())));
  }
  if (::access(paths.loadgen.c_str(), X_OK) != 0) {
    list.push_back(missing("load generator", "not at " + paths.loadgen,
                           "build it, or name it with --loadgen"));
  } else {
    list.push_back(good("load generator", paths.loadgen));
  }
  const auto experiments = load_experiments(paths.experiments_dir);
  list.push_back(experiments ? good("experiments", fmt::format("{} files", experiments->size()))
                             : missing("experiments", "unusable", experiments.error().message));
}

Diagnosis cpus(bool load_hosts) {
  const auto allowed = allowed_cpus();
  const auto plan = plan_cpus(allowed, {.server = {}, .load = {}, .elsewhere = load_hosts});
  if (!plan) {
    return lack("cpus", fmt::format("{} of use here", allowed.size()),
                "server and load generator would share it: add CPUs, or run with --share-cpus");
  }
  return good("cpus",
              fmt::format("server on {}, load generator on {} ({})", to_string(plan->server),
                          load_hosts ? "the load hosts" : to_string(plan->load), cpu_model()));
}

Diagnosis charts() {
  if (const std::string python = find_drawing_python(); !python.empty()) {
    return good("charts", python + " has matplotlib and numpy");
  }
  return lack("charts", "no python3 that has matplotlib and numpy",
              "apt-get install python3-matplotlib");
}

const char* mark(Health health) {
  switch (health) {
    case Health::good:
      return "ok";
    case Health::lack:
      return "lack";
    default:
      return "MISSING";
  }
}

int doctor(const Paths& paths, const LoadHostsRequest& load_hosts) {
  std::vector<Diagnosis> diagnoses;
  programs(paths, diagnoses);
  diagnoses.push_back(cpus(load_hosts.any()));
  diagnoses.push_back(charts());
  for (Diagnosis& diagnosis : examine_host()) diagnoses.push_back(std::move(diagnosis));
  if (load_hosts.any()) {
    auto examined = examine_load_hosts(load_hosts);
    if (!examined) return print_error(kProgram, examined.error());
    for (Diagnosis& diagnosis : *examined) diagnoses.push_back(std::move(diagnosis));
  }
  std::size_t width = 0;
  for (const Diagnosis& diagnosis : diagnoses) width = std::max(width, diagnosis.subject.size());
  bool missing = false;
  for (const Diagnosis& diagnosis : diagnoses) {
    print("{:<7}  {:<{}}  {}\n", mark(diagnosis.health), diagnosis.subject, width, diagnosis.found);
    if (diagnosis.health == Health::good) continue;
    print("{:<7}  {:<{}}  -> {}\n", "", "", width, diagnosis.remedy);
    missing = missing || diagnosis.health == Health::missing;
  }
  if (!missing) return 0;
  return print_error(
      kProgram,
      Error{"no run is possible here before what is MISSING above is there", Exit::unavailable});
}

}  // namespace

void add_doctor_command(CLI::App& app, int& status) {
  auto paths = std::make_shared<Paths>(default_paths());
  CLI::App* command =
      app.add_subcommand("doctor", "Show what this machine offers, what it lacks, and the remedy");
  command->add_option("--servers-dir", paths->servers_dir, "Folder of the server_* programs");
  command->add_option("--loadgen", paths->loadgen, "The load generator");
  command->add_option("--experiments-dir", paths->experiments_dir, "Folder of experiment files");
  name_values(*command, {{"DIR", {"--servers-dir", "--experiments-dir"}}, {"FILE", {"--loadgen"}}});
  auto load_hosts = std::make_shared<LoadHostsRequest>();
  load_hosts->program = paths->loadgen_mpi;
  describe_load_hosts(command, load_hosts.get());
  command->callback([paths, load_hosts, &status] { status = doctor(*paths, *load_hosts); });
}

}  // namespace muxbench
