#include "plan/experiment.h"

#include "base/file.h"
#include "json/json_reader.h"

#include <algorithm>
#include <filesystem>
#include <set>

namespace muxbench {
namespace {

constexpr std::string_view kWorkers = "workers";
constexpr std::string_view kCpus = "cpus";

bool is_one_of(const std::string& value, std::initializer_list<const char*> allowed) {
  return std::find(allowed.begin(), allowed.end(), value) != allowed.end();
}

Result<> read_load(const Json& json, const std::string& where, Experiment& experiment) {
  JsonReader reader(json, where);
  experiment.mode = reader.text("mode", "closed");
  reader.expect(is_one_of(experiment.mode, {"closed", "open"}), "mode", "\"closed\" or \"open\"");
  for (const Setting& setting : kSettings) {
    experiment.load.*setting.member =
        reader.count(setting.key, setting.least, setting.most, experiment.load.*setting.member);
  }
  return reader.finish();
}

// A value of a sweep, or nothing if it cannot be one.
std::optional<std::uint64_t> read_value(const Json& value, const Setting& setting) {
  if (value == kCpus && setting.key == kWorkers) return kAllCpus;
  if (!value.is_number_unsigned()) return {};
  const auto number = value.get<std::uint64_t>();
  if (number < setting.least || number > setting.most) return {};
  return number;
}

Result<> read_sweep(const Json& json, const std::string& where, std::vector<Sweep>& sweep) {
  sweep.clear();
  for (const auto& [key, values] : json.items()) {
    const Setting* setting = find_setting(key);
    if (setting == nullptr) {
      return usage_error("{}: {}: expected one of the keys {}, found a key that nothing sweeps",
                         where, key, setting_names());
    }
    Sweep entry{key, {}};
    for (const Json& value : values.is_array() ? values : Json::array()) {
      if (const auto number = read_value(value, *setting)) entry.values.push_back(*number);
    }
    if (entry.values.empty() || entry.values.size() != values.size()) {
      return usage_error("{}: {}: expected a list of whole numbers from {} to {}{}, found {}",
                         where, key, setting->least, setting->most,
                         key == kWorkers ? " or \"cpus\"" : "", values.dump());
    }
    const std::set<std::uint64_t> distinct(entry.values.begin(), entry.values.end());
    if (distinct.size() != entry.values.size()) {
      return usage_error("{}: {}: expected each value once, found {}", where, key, values.dump());
    }
    sweep.push_back(std::move(entry));
  }
  if (sweep.empty()) {
    return usage_error("{}: expected at least one key with its values, found {{}}", where);
  }
  return {};
}

// The keys that a profile may change as well. Absent keys keep what `experiment` has; a whole file
// must have them all.
Result<> read_amounts(JsonReader& reader, bool required, Experiment& experiment) {
  const auto fallback = [&](auto value) { return required ? std::nullopt : std::optional(value); };
  experiment.warmup = reader.duration("warmup", fallback(experiment.warmup));
  experiment.duration = reader.duration("duration", fallback(experiment.duration));
  reader.expect(experiment.duration > Nanoseconds(0) || !reader.has("duration"), "duration",
                "a duration above 0");
  experiment.repetitions = static_cast<unsigned>(reader.count(
      "repetitions", 1, kMostRepetitions, fallback(std::uint64_t{experiment.repetitions})));
  if (const Json* sweep = reader.object("sweep", required)) {
    reader.adopt(read_sweep(*sweep, reader.path_of("sweep"), experiment.sweep));
  }
  return reader.finish();
}

// An open loop is one with a rate, everywhere.
Result<> check_rate(const Experiment& experiment, const std::string& file) {
  bool swept = false;
  bool zero = false;
  for (const Sweep& sweep : experiment.sweep) {
    if (sweep.key != "rate") continue;
    swept = true;
    zero = std::find(sweep.values.begin(), sweep.values.end(), 0) != sweep.values.end();
  }
  const bool rated = swept || experiment.load.rate > 0;
  if (experiment.mode == "open" && (!rated || zero)) {
    return usage_error("{}: load: mode: expected a rate above 0 for an open loop, found none",
                       file);
  }
  if (experiment.mode == "closed" && rated) {
    return usage_error("{}: load: mode: expected \"open\" for a load with a rate, found \"closed\"",
                       file);
  }
  return {};
}

Result<> read_profiles(const Json& json, const std::string& where, Experiment& experiment) {
  for (const auto& [profile, changes] : json.items()) {
    if (!is_one_of(profile, {"smoke", "quick", "full"})) {
      return usage_error("{}: {}: expected one of the keys smoke, quick, full", where, profile);
    }
    JsonReader reader(changes, where + ": " + profile);
    Experiment scratch = experiment;
    if (const auto read = read_amounts(reader, false, scratch); !read) return read;
    if (const auto good = check_rate(scratch, where + ": " + profile); !good) return good;
    experiment.profiles[profile] = changes;
  }
  return {};
}

}  // namespace

Result<Experiment> parse_experiment(std::string_view text, const std::string& file) {
  const Result<Json> json = parse_json(text, file);
  if (!json) return json.error();
  Experiment experiment;
  JsonReader reader(*json, file);
  experiment.name = reader.text("name");
  reader.expect(is_name(experiment.name), "name", "lower-case letters, digits and underscores");
  experiment.question = reader.text("question");
  experiment.protocol = reader.text("protocol");
  reader.expect(is_one_of(experiment.protocol, {"echo", "greet", "http"}), "protocol",
                "\"echo\", \"greet\" or \"http\"");
  experiment.transport = reader.text("transport", "tcp");
  reader.expect(is_one_of(experiment.transport, {"tcp", "unix"}), "transport",
                "\"tcp\" or \"unix\"");
  experiment.models = reader.text("models", "*");
  experiment.order = static_cast<unsigned>(reader.count("order", 0, 1'000'000, 100));
  if (const Json* load = reader.object("load", true)) {
    reader.adopt(read_load(*load, reader.path_of("load"), experiment));
  }
  experiment.metric = reader.text("metric", usual_metric(experiment.mode));
  reader.expect(find_compared_metric(experiment.metric) != nullptr, "metric",
                "one of " + compared_metric_names());
  reader.expect(experiment.mode != "open" || experiment.metric != "requests_per_second", "metric",
                "another than the throughput of an open loop, whose rate is given");
  const Json* profiles = reader.object("profiles", false);
  if (const auto read = read_amounts(reader, true, experiment); !read) return read.error();
  if (const auto good = check_rate(experiment, file); !good) return good.error();
  if (profiles != nullptr) {
    const auto read = read_profiles(*profiles, reader.path_of("profiles"), experiment);
    if (!read) return read.error();
  }
  return experiment;
}

Result<std::vector<Experiment>> load_experiments(const std::string& folder) {
  std::error_code error;
  std::vector<Experiment> experiments;
  std::map<std::string, std::string> file_of;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".json") continue;
    const std::string file = entry.path().string();
    const auto text = read_file(file);
    if (!text) return text.error();
    auto experiment = parse_experiment(*text, file);
    if (!experiment) return experiment.error();
    const auto [other, fresh] = file_of.emplace(experiment->name, file);
    if (!fresh) {
      return usage_error("{}: name: expected a name of its own, found \"{}\" that {} has too", file,
                         experiment->name, other->second);
    }
    experiments.push_back(std::move(*experiment));
  }
  if (error) {
    return usage_error(
        "cannot list the experiments in {}: {}; name their folder with "
        "--experiments-dir",
        folder, error.message());
  }
  if (experiments.empty()) {
    return usage_error(
        "there is no experiment file (*.json) in {}; name their folder with "
        "--experiments-dir",
        folder);
  }
  std::sort(experiments.begin(), experiments.end(), [](const Experiment& a, const Experiment& b) {
    return std::tie(a.order, a.name) < std::tie(b.order, b.name);
  });
  return experiments;
}

Experiment with_profile(Experiment experiment, const std::string& profile) {
  const auto found = experiment.profiles.find(profile);
  if (found == experiment.profiles.end()) return experiment;
  JsonReader reader(found->second, profile);
  // It was checked when the file was read, so this cannot fail.
  if (const auto read = read_amounts(reader, false, experiment); !read) return experiment;
  return experiment;
}

std::string format_values(const Sweep& sweep) {
  std::string text;
  for (const std::uint64_t value : sweep.values) {
    text += text.empty() ? "" : ", ";
    text += value == kAllCpus ? std::string(kCpus) : std::to_string(value);
  }
  return text;
}

bool sweeps(const Experiment& experiment, std::string_view key) {
  return std::any_of(experiment.sweep.begin(), experiment.sweep.end(),
                     [&](const Sweep& sweep) { return sweep.key == key; });
}

Experiment for_cpus(Experiment experiment, std::uint64_t cpus, std::string& note) {
  for (Sweep& sweep : experiment.sweep) {
    if (sweep.key != kWorkers) continue;
    std::set<std::uint64_t> kept;
    Sweep left_out{sweep.key, {}};
    for (std::uint64_t& value : sweep.values) {
      if (value == kAllCpus) value = cpus;
      if (value <= cpus) kept.insert(value);
      if (value > cpus) left_out.values.push_back(value);
    }
    if (!kept.empty()) sweep.values.assign(kept.begin(), kept.end());
    note = fmt::format("Experiment {}: the server has {} CPU{}", experiment.name, cpus,
                       cpus == 1 ? "" : "s");
    if (!left_out.values.empty() && !kept.empty()) {
      note +=
          fmt::format(", so points of more workers are left out ({}; --server-cpus gives it more)",
                      format_values(left_out));
    }
    note += "; models that have one worker by their nature take no part.";
  }
  return experiment;
}

std::vector<Point> points_of(const Experiment& experiment) {
  std::vector<Point> points{{}};
  for (const Sweep& sweep : experiment.sweep) {
    std::vector<Point> longer;
    for (const Point& point : points) {
      for (const std::uint64_t value : sweep.values) {
        longer.push_back(point);
        longer.back().push_back({sweep.key, value});
      }
    }
    points = std::move(longer);
  }
  if (!sweeps(experiment, "connections")) {
    for (Point& point : points) point.push_back({"connections", experiment.load.connections});
  }
  return points;
}

std::string cell_id(const std::string& model, const Experiment& experiment, const Point& point) {
  return model + '/' + experiment.name + '/' + to_string(point);
}

Experiment thinned(Experiment experiment, std::size_t keep) {
  for (Sweep& sweep : experiment.sweep) {
    const std::size_t all = sweep.values.size();
    if (all <= keep) continue;
    std::vector<std::uint64_t> kept;
    for (std::size_t i = 0; i < keep; ++i) {
      kept.push_back(sweep.values[(i * (all - 1) + (keep - 1) / 2) / (keep - 1)]);
    }
    sweep.values = std::move(kept);
  }
  return experiment;
}

}  // namespace muxbench
