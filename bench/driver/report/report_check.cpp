#include "report/report_check.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "report/schema_check.h"
#include "report/slices.h"

namespace muxbench {
namespace {

bool is_version(std::string_view version) {
  return version.size() > 2 && version.starts_with("1.") &&
         version.substr(2).find_first_not_of("0123456789") == std::string_view::npos;
}

using Mistake = std::optional<std::string>;

const std::string& text_of(const Json& object, const char* key) {
  return object.at(key).get_ref<const std::string&>();
}

// As JSON writes it, so that the sentence stays on one line whatever is in the name.
std::string quoted(const std::string& name) { return fmt::format("{:.100}", Json(name).dump()); }

struct KnownCell {
  std::string status;
  std::size_t good_trials = 0;
};
using KnownCells = std::map<std::string, KnownCell>;

Mistake mistake_in_cells(const Json& section, KnownCells& known) {
  std::set<std::string> experiments;
  for (const Json& experiment : section.at("experiments")) {
    const std::string& name = text_of(experiment, "name");
    if (!experiments.insert(name).second) {
      return fmt::format("the experiment {} is there twice", quoted(name));
    }
  }
  std::set<std::string> places;
  for (const Json& cell : section.at("cells")) {
    const std::string& id = text_of(cell, "id");
    if (!known.emplace(id, KnownCell{text_of(cell, "status")}).second) {
      return fmt::format("the cell {} is there twice", quoted(id));
    }
    if (!experiments.contains(text_of(cell, "experiment"))) {
      return fmt::format("the cell {} is of an experiment {} that is not there", quoted(id),
                         quoted(text_of(cell, "experiment")));
    }
    const Json place{cell.at("model"), cell.at("experiment"), cell.at("point")};
    if (!places.insert(place.dump()).second) {
      return fmt::format("what the cell {} measures is there twice", quoted(id));
    }
  }
  return {};
}

Mistake mistake_in_trials(const Json& trials, KnownCells& cells) {
  std::set<std::pair<std::string, std::uint64_t>> seen;
  for (const Json& trial : trials) {
    const std::string& id = text_of(trial, "cell");
    const auto repetition = trial.at("repetition").get<std::uint64_t>();
    const auto cell = cells.find(id);
    if (cell == cells.end()) {
      return fmt::format("a trial is of a cell {} that is not there", quoted(id));
    }
    if (!seen.emplace(id, repetition).second) {
      return fmt::format("trial {} of the cell {} is there twice", repetition, quoted(id));
    }
    if (trial.contains("slices") && !report::consistent_slices(trial.at("slices"))) {
      return fmt::format(
          "the slices of trial {} of the cell {} are no lists of one length sorted by block",
          repetition, quoted(id));
    }
    if (text_of(trial, "status") == "ok") ++cell->second.good_trials;
  }
  return {};
}

// What the parts say of each other.
Mistake mistake_between(const Json& section) {
  KnownCells cells;
  if (auto found = mistake_in_cells(section, cells)) return found;
  if (auto found = mistake_in_trials(section.at("trials"), cells)) return found;
  for (const auto& [id, cell] : cells) {
    if (cell.status == "measured" && cell.good_trials == 0) {
      return fmt::format("the cell {} is measured and has no trials", quoted(id));
    }
    if (cell.status != "measured" && cell.good_trials > 0) {
      return fmt::format("the cell {} is {} and has trials that succeeded", quoted(id),
                         quoted(cell.status));
    }
  }
  if (!section.contains("twin_trials")) return {};
  return mistake_in_trials(section.at("twin_trials"), cells);
}

}  // namespace

Result<> check_schema_version(const Json& report, const std::string& file) {
  const bool has_section = report.is_object() && report.contains("muxbench") &&
                           report.at("muxbench").is_object() &&
                           report.at("muxbench").contains("schema_version");
  if (!has_section) {
    return usage_error(
        "{} is JSON but no muxbench report, for it has no muxbench.schema_version; give the "
        "report.json that a run wrote",
        file);
  }
  const Json& version = report.at("muxbench").at("schema_version");
  if (version.is_string() && is_version(version.get_ref<const std::string&>())) return {};
  return usage_error(
      "{} has schema version {:.40} and this muxbench reads 1.x, such as \"1.1\"; use the version "
      "of muxbench that wrote it",
      file, version.dump());
}

Result<> check_report(const Json& report, const std::string& file) {
  if (auto checked = check_schema_version(report, file); !checked) return checked;
  const Json& section = report.at("muxbench");
  auto found = schema_mistake(report);
  if (!found) found = mistake_between(section);
  if (found) return not_as_documented(file, *found);
  return {};
}

Error not_as_documented(const std::string& file, const std::string& what) {
  return usage_error(
      "{} is not a muxbench report as documented: {}; give the report.json that a run wrote, "
      "unedited",
      file, what);
}

}  // namespace muxbench
