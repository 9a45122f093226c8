// muxbench list: the models and experiments that a run would take.
#include "base/output.h"
#include "cli/commands.h"
#include "plan/experiment_file.h"
#include "plan/models.h"
#include "run/default_paths.h"

namespace muxbench {
namespace {

struct ListOptions {
  Paths paths = default_paths();
  bool json = false;
};

Json list_json(const std::vector<Model>& models, const std::vector<Experiment>& experiments) {
  Json json{{"models", Json::array()}, {"experiments", Json::array()}};
  for (const Model& model : models) {
    Json entry{{"name", model.name},
               {"family", model.family},
               {"mechanism", model.mechanism},
               {"available", model.available}};
    if (!model.available) entry["reason"] = model.reason;
    json["models"].push_back(std::move(entry));
  }
  for (const Experiment& experiment : experiments) {
    Json sweep = Json::object();
    for (const Sweep& entry : experiment.sweep) sweep[entry.key] = entry.values;
    json["experiments"].push_back({{"name", experiment.name},
                                   {"question", experiment.question},
                                   {"metric", experiment.metric},
                                   {"sweep", sweep}});
  }
  return json;
}

void print_text(const std::vector<Model>& models, const std::vector<Experiment>& experiments) {
  std::size_t width = 0;
  for (const Model& model : models) width = std::max(width, model.name.size());
  print("Models:\n");
  for (const Model& model : models) {
    print("  {:<{}}  {:<10}  {}\n", model.name, width, model.family,
          model.available ? model.mechanism : "not available: " + model.reason);
  }
  print("Experiments:\n");
  for (const Experiment& experiment : experiments) {
    print("  {:<{}}  {}\n  {:<{}}  {}\n", experiment.name, width, experiment.question, "", width,
          format_sweeps(experiment.sweep));
  }
}

int list(const ListOptions& options) {
  const auto models = discover_models(options.paths.servers_dir);
  if (!models) return print_error(kProgram, models.error());
  const auto experiments = load_experiments(options.paths.experiments_dir);
  if (!experiments) return print_error(kProgram, experiments.error());
  if (options.json) {
    print("{}\n", list_json(*models, *experiments).dump(2));
  } else {
    print_text(*models, *experiments);
  }
  return 0;
}

}  // namespace

void add_list_command(CLI::App& app, int& status) {
  auto options = std::make_shared<ListOptions>();
  CLI::App* command = app.add_subcommand("list", "Show the models and experiments");
  command->add_flag("--json", options->json, "Print them as JSON");
  command->add_option("--servers-dir", options->paths.servers_dir,
                      "Folder of the server_* programs");
  command->add_option("--experiments-dir", options->paths.experiments_dir,
                      "Folder of experiment files");
  name_values(*command, {{"DIR", {"--servers-dir", "--experiments-dir"}}});
  command->callback([options, &status] { status = list(*options); });
}

}  // namespace muxbench
