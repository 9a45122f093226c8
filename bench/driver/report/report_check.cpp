#include "report/report_check.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>

#include "report/report_rules.h"

namespace muxbench {
namespace {

bool is_version(std::string_view version) {
  return version.size() > 2 && version.starts_with("1.") &&
         version.substr(2).find_first_not_of("0123456789") == std::string_view::npos;
}

// Where a value stands, spelt out only when it is wrong: most are not, and there are many.
struct Place {
  const Place* above = nullptr;
  std::string name;
  std::optional<std::size_t> index = {};

  std::string text() const {
    if (above == nullptr) return name;
    return above->text() + (index ? fmt::format("[{}]", *index) : "." + name);
  }
};

using Mistake = std::optional<std::string>;

Mistake wrong(const Place& place, std::string_view expected) {
  return fmt::format("{} should be {}", place.text(), expected);
}

Mistake mistake_of_kind(const Json& value, Kind kind, const Place& place) {
  switch (kind) {
    case Kind::text:
      return value.is_string() ? Mistake{} : wrong(place, "a string");
    case Kind::number:
      return value.is_number() ? Mistake{} : wrong(place, "a number");
    default:
      const bool count = value.is_number_unsigned() ||
                         (value.is_number_integer() && value.get<std::int64_t>() >= 0);
      return count ? Mistake{} : wrong(place, "a whole number of 0 or more");
  }
}

std::pair<std::string_view, std::string_view> cut(std::string_view text, char at) {
  const auto end = text.find(at);
  if (end == std::string_view::npos) return {text, {}};
  return {text.substr(0, end), text.substr(end + 1)};
}

Mistake mistake_in(const Json& value, std::string_view path, Kind kind, const Place& place);

Mistake mistake_in_list(const Json& list, std::string_view step, std::string_view rest, Kind kind,
                        const Place& place) {
  if (!list.is_array()) return wrong(place, "a list");
  if (step == "[+]" && list.empty()) return wrong(place, "a list of one entry or more");
  if (step == "[2]" && list.size() != 2) return wrong(place, "a list of two entries");
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (auto found = mistake_in(list[i], rest, kind, {&place, "", i})) return found;
  }
  return {};
}

Mistake mistake_in_object(const Json& object, std::string_view step, std::string_view rest,
                          Kind kind, const Place& place) {
  if (!object.is_object()) return wrong(place, "an object");
  if (step.front() == '{') {
    if (step == "{+}" && object.empty()) return wrong(place, "an object of one member or more");
    for (const auto& [key, member] : object.items()) {
      if (auto found = mistake_in(member, rest, kind, {&place, key})) return found;
    }
    return {};
  }
  const bool optional = step.ends_with('?');
  if (optional) step.remove_suffix(1);
  while (!step.empty()) {
    const auto [name, others] = cut(step, '|');
    step = others;
    const Place below{&place, std::string(name)};
    const auto member = object.find(name);
    if (member == object.end()) {
      if (!optional) return wrong(below, "there");
    } else if (auto found = mistake_in(*member, rest, kind, below)) {
      return found;
    }
  }
  return {};
}

Mistake mistake_in(const Json& value, std::string_view path, Kind kind, const Place& place) {
  if (path.empty()) return mistake_of_kind(value, kind, place);
  const auto [step, rest] = cut(path, '/');
  return step.front() == '[' ? mistake_in_list(value, step, rest, kind, place)
                             : mistake_in_object(value, step, rest, kind, place);
}

Mistake mistake_by(std::span<const Rule> rules, const Json& value, const Place& place) {
  for (const auto& [path, kind] : rules) {
    if (auto found = mistake_in(value, path, kind, place)) return found;
  }
  return {};
}

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

Mistake mistake_in_trials(const Json& trials, const char* key, KnownCells& cells) {
  const Place section{nullptr, "muxbench"};
  const Place list{&section, key};
  std::set<std::pair<std::string, std::uint64_t>> seen;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const Json& trial = trials[i];
    const std::string& id = text_of(trial, "cell");
    const auto repetition = trial.at("repetition").get<std::uint64_t>();
    const auto cell = cells.find(id);
    if (cell == cells.end()) {
      return fmt::format("a trial is of a cell {} that is not there", quoted(id));
    }
    if (!seen.emplace(id, repetition).second) {
      return fmt::format("trial {} of the cell {} is there twice", repetition, quoted(id));
    }
    if (text_of(trial, "status") != "ok") continue;
    if (auto found = mistake_by(kGoodTrialRules, trial, {&list, "", i})) return found;
    ++cell->second.good_trials;
  }
  return {};
}

// What the parts say of each other.
Mistake mistake_between(const Json& section) {
  KnownCells cells;
  if (auto found = mistake_in_cells(section, cells)) return found;
  if (auto found = mistake_in_trials(section.at("trials"), "trials", cells)) return found;
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
  return mistake_in_trials(section.at("twin_trials"), "twin_trials", cells);
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
  auto found = mistake_by(kReportRules, section, {nullptr, "muxbench"});
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
