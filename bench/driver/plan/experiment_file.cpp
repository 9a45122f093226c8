#include "plan/experiment_file.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/file.h"
#include "json/json_reader.h"
#include "plan/profile.h"
#include "plan/slices.h"

namespace muxbench {
namespace {

constexpr std::string_view kWorkers = "workers";

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
std::optional<SweepValue> read_value(const Json& value, const Setting& setting) {
  if (setting.key == kWorkers && value == to_string(AllCpus{})) return AllCpus{};
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
                         where, key_text(key), setting_names());
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
    const std::set<SweepValue> distinct(entry.values.begin(), entry.values.end());
    if (distinct.size() != entry.values.size()) {
      return usage_error("{}: {}: expected each value once, found {}", where, key, values.dump());
    }
    sweep.push_back(std::move(entry));
  }
  if (sweep.empty()) {
    return usage_error("{}: expected at least one key with its values, found {{}}", where);
  }
  std::size_t points = 1;
  for (const Sweep& entry : sweep) {
    points *= entry.values.size();  // a factor of at most kMostPoints and one of a file's length
    if (points > kMostPoints) {
      return usage_error("{}: expected at most {} combinations of values, found more", where,
                         kMostPoints);
    }
  }
  return {};
}

Nanoseconds read_time(JsonReader& reader, const char* key) {
  const Nanoseconds time = reader.duration(key);
  if (std::string_view(key) == "duration") {
    reader.expect(time > Nanoseconds(0), key, "a duration above 0");
  }
  return time;
}

// What a profile may change: a whole file must have it all.
Result<> read_amounts(JsonReader& reader, bool required, ProfileChanges& amounts) {
  const auto is_told = [&](const char* key) { return required || reader.has(key); };
  if (is_told("warmup")) amounts.warmup = read_time(reader, "warmup");
  if (is_told("duration")) amounts.duration = read_time(reader, "duration");
  if (is_told("repetitions")) {
    amounts.repetitions = static_cast<unsigned>(reader.count("repetitions", 1, kMostRepetitions));
  }
  if (const Json* sweep = reader.object("sweep", required)) {
    amounts.sweep.emplace();
    reader.adopt(read_sweep(*sweep, reader.path_of("sweep"), *amounts.sweep));
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
    zero = std::find(sweep.values.begin(), sweep.values.end(), SweepValue(0)) != sweep.values.end();
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
  for (const auto& [profile, object] : json.items()) {
    if (!find_profile(profile)) {
      return usage_error("{}: {}: expected one of the keys smoke, quick, full", where,
                         key_text(profile));
    }
    JsonReader reader(object, where + ": " + profile);
    ProfileChanges changes;
    const std::string run = reader.text("run", "always");
    reader.expect(is_one_of(run, {"always", "named"}), "run", "\"always\" or \"named\"");
    changes.only_if_named = run == "named";
    if (const auto read = read_amounts(reader, false, changes); !read) return read;
    const auto good = check_rate(changed(experiment, changes), where + ": " + profile);
    if (!good) return good;
    experiment.profiles[profile] = std::move(changes);
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
  if (reader.has("method")) {
    const std::string method = reader.text("method");
    reader.expect(is_one_of(method, {"slices", "trials"}), "method", "\"slices\" or \"trials\"");
    experiment.method = method == to_string(Method::trials) ? Method::trials : Method::slices;
  }
  experiment.order = static_cast<unsigned>(reader.count("order", 0, 1'000'000, 100));
  if (const Json* load = reader.object("load", true)) {
    reader.adopt(read_load(*load, reader.path_of("load"), experiment));
  }
  experiment.metric = reader.text("metric", usual_metric(experiment.mode));
  const bool names_metric = reader.has("metric");
  reader.expect(find_compared_metric(experiment.metric) != nullptr, "metric",
                "one of " + compared_metric_names());
  reader.expect(experiment.mode != "open" || experiment.metric != "requests_per_second", "metric",
                "another than the throughput of an open loop, whose rate is given");
  const Json* profiles = reader.object("profiles", false);
  ProfileChanges amounts;
  if (const auto read = read_amounts(reader, true, amounts); !read) return read.error();
  experiment = changed(std::move(experiment), amounts);
  if (!names_metric) experiment.metric = usual_metric(experiment);
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

}  // namespace muxbench
