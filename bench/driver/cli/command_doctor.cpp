// muxbench doctor: what this host offers, and the remedy for each lack.
#include <algorithm>

#include "base/error.h"
#include "base/output.h"
#include "cli/commands.h"
#include "cli/host_checks.h"

namespace muxbench {
namespace {

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

int doctor(const Paths& paths) {
  const auto diagnoses = examine_host(paths);
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
  CLI::App* command = app.add_subcommand("doctor", "Show what this host offers and lacks");
  command->add_option("--servers-dir", paths->servers_dir, "Folder of the server_* programs");
  command->add_option("--loadgen", paths->loadgen, "The load generator");
  command->add_option("--experiments-dir", paths->experiments_dir, "Folder of experiment files");
  command->callback([paths, &status] { status = doctor(*paths); });
}

}  // namespace muxbench
