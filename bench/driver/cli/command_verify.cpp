// muxbench verify: does every server do what it claims?
#include <algorithm>

#include "base/output.h"
#include "cli/commands.h"
#include "plan/models.h"
#include "plan/name_pattern.h"
#include "run/default_paths.h"
#include "run/descriptor_limit.h"
#include "run/scratch_folder.h"
#include "system/interrupt.h"
#include "trial/verify.h"

namespace muxbench {
namespace {

struct VerifyOptions {
  std::vector<std::string> models;
  std::string servers_dir = default_paths().servers_dir;
};

int verify(const VerifyOptions& options) {
  raise_descriptor_limit();
  const auto models = discover_models(options.servers_dir);
  if (!models) return print_error(kProgram, models.error());
  std::vector<std::string> names;
  std::size_t width = 0;
  for (const Model& model : *models) {
    names.push_back(model.name);
    width = std::max(width, model.name.size());
  }
  const std::string patterns =
      options.models.empty() ? "*" : fmt::format("{}", fmt::join(options.models, ","));
  const auto chosen = select_names(names, patterns, "model");
  if (!chosen) return print_error(kProgram, chosen.error());
  const auto scratch = ScratchFolder::make();
  if (!scratch) return print_error(kProgram, scratch.error());

  std::size_t failed = 0;
  for (const std::size_t i : *chosen) {
    const Model& model = (*models)[i];
    if (!model.available) {
      print("{:<{}}  skipped  {}\n", model.name, width, model.reason);
      continue;
    }
    const auto checked = verify_model(model, scratch->path());
    reap_orphans();
    if (interrupted()) return interrupt_status();
    failed += checked ? 0 : 1;
    print("{:<{}}  {:<7}  {}\n", model.name, width, checked ? "ok" : "FAILED",
          checked ? *checked : checked.error().message);
    flush_output(kProgram);
  }
  if (failed == 0) return 0;
  return print_error(kProgram,
                     make_error("{} of {} models failed; run the server by hand with the protocol "
                                "above to see more",
                                failed, chosen->size()));
}

}  // namespace

void add_verify_command(CLI::App& app, int& status) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command =
      app.add_subcommand("verify", "Start each server, check its answers and stop it");
  command->add_option("MODEL", options->models,
                      "Names of models; patterns such as 'epoll_*' are allowed (default: all)");
  command->add_option("--servers-dir", options->servers_dir, "Folder of the server_* programs");
  name_values(*command, {{"DIR", {"--servers-dir"}}});
  command->callback([options, &status] { status = verify(*options); });
}

}  // namespace muxbench
