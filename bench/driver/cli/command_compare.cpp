// muxbench compare: is the new one faster, and can these trials tell?
#include <unistd.h>

#include "base/output.h"
#include "cli/commands.h"
#include "export/comparison_text.h"
#include "report/read_report.h"

namespace muxbench {
namespace {

constexpr int kExitRegression = 4;
constexpr int kExitUndecided = 5;

struct CompareArguments {
  std::vector<std::string> reports;
  std::vector<std::string> models;
  std::vector<std::string> metrics;
  std::string margin = "2%";
  std::optional<std::string> fail_on_regression;
  std::string correction = "holm";
  std::string format = "terminal";
  std::string colour = "auto";
  bool across_hosts = false;
};

// "5%", "0.5 %" or "5": per cent, above 0 and below 100.
Result<double> read_percent(const std::string& option, std::string text) {
  if (text.ends_with('%')) text.pop_back();
  char* end = nullptr;
  const double percent = std::strtod(text.c_str(), &end);
  while (*end == ' ') ++end;
  if (text.empty() || *end != '\0' || !(percent > 0) || !(percent < 100)) {
    return usage_error("{} \"{}\" is no percentage between 0 and 100, such as 5%", option, text);
  }
  return percent / 100;
}

Result<CompareSettings> understand(const CompareArguments& arguments) {
  CompareSettings settings;
  const auto margin = read_percent("--margin", arguments.margin);
  if (!margin) return margin.error();
  settings.margin = *margin;
  settings.correction =
      arguments.correction == "holm" ? Correction::holm : Correction::benjamini_hochberg;
  settings.across_hosts = arguments.across_hosts;
  for (const std::string& name : arguments.metrics) {
    if (find_compared_metric(name) == nullptr) {
      return usage_error("there is no metric \"{}\"; there are {}", name, compared_metric_names());
    }
  }
  settings.metrics = arguments.metrics;
  return settings;
}

Result<MeasuredReport> read_measured(const std::string& path) {
  const auto report = load_report(path);
  if (!report) return report.error();
  return measured_report(*report);
}

Result<Comparison> compare(const CompareArguments& arguments, const CompareSettings& settings) {
  const bool two_models = !arguments.models.empty();
  if (two_models && (arguments.models.size() != 2 || arguments.reports.size() != 1)) {
    return usage_error("--models compares two models, a,b, within one report");
  }
  if (!two_models && arguments.reports.size() != 2) {
    return usage_error(
        "compare needs two reports, BASE.json and NEW.json, or one and --models a,b");
  }
  const auto base = read_measured(arguments.reports[0]);
  if (!base) return base.error();
  if (two_models) return compare_models(*base, arguments.models[0], arguments.models[1], settings);
  const auto now = read_measured(arguments.reports[1]);
  if (!now) return now.error();
  return compare_reports(*base, *now, settings);
}

void print_comparison(const CompareArguments& arguments, const Comparison& comparison) {
  if (arguments.format == "json") {
    write_output(as_json(comparison).dump(2) + "\n");
  } else if (arguments.format == "markdown") {
    write_output(as_markdown(comparison));
  } else {
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    const bool colour = arguments.colour == "always" || (arguments.colour == "auto" && terminal);
    write_output(as_terminal_text(comparison, colour));
  }
  flush_output(kProgram);
}

std::string why_undecided(const Comparison& comparison, double limit) {
  if (!comparison.differences.empty() && !comparison.settings.across_hosts) {
    return "the conditions of the two reports differ, so nothing is decided; measure both under "
           "the same ones, or add --across-hosts";
  }
  return fmt::format(
      "these trials cannot exclude that something is worse by {:g} %; measure with more or longer "
      "trials on a quiet machine",
      limit * 100);
}

int run(const CompareArguments& arguments) {
  const auto settings = understand(arguments);
  if (!settings) return print_error(kProgram, settings.error());
  Result<double> limit = 0.0;
  if (arguments.fail_on_regression) {
    limit = read_percent("--fail-on-regression", *arguments.fail_on_regression);
    if (!limit) return print_error(kProgram, limit.error());
  }
  const auto comparison = compare(arguments, *settings);
  if (!comparison) return print_error(kProgram, comparison.error());
  print_comparison(arguments, *comparison);
  if (*limit == 0) return 0;
  switch (regression_of(*comparison, *limit)) {
    case Regression::no:
      return 0;
    case Regression::yes:
      print_stderr("{}: worse by {:g} % or more\n", kProgram, *limit * 100);
      return kExitRegression;
    default:
      print_stderr("{}: {}\n", kProgram, why_undecided(*comparison, *limit));
      return kExitUndecided;
  }
}

}  // namespace

void add_compare_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<CompareArguments>();
  CLI::App* command = app.add_subcommand(
      "compare", "Compare two reports, or two models of one report, and say what differs");
  command->add_option("REPORT", arguments->reports, "BASE.json and NEW.json, or one report")
      ->required();
  command->add_option("--models", arguments->models, "Compare two models of one report: BASE,NEW")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      ->add_option("--metrics", arguments->metrics,
                   "Metrics to compare, separated by commas (default: the one that answers each "
                   "experiment)")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_option("--margin", arguments->margin,
                      "Differences within this are called \"same\" (default: 2%)");
  command
      ->add_option("--correction", arguments->correction,
                   "Correction for many comparisons: holm (default) or bh (Benjamini-Hochberg)")
      ->check(one_of({"holm", "bh"}));
  command->add_flag("--across-hosts", arguments->across_hosts,
                    "Give verdicts even if hosts, kernels or configurations differ");
  command->add_option("--fail-on-regression", arguments->fail_on_regression,
                      "Exit with 4 if anything is worse by this much, such as 5%, and with 5 if "
                      "that cannot be decided");
  command->add_option("--format", arguments->format, "terminal (default), markdown or json")
      ->check(one_of({"terminal", "markdown", "json"}));
  command->add_option("--color,--colour", arguments->colour, "auto (default), always or never")
      ->check(one_of({"auto", "always", "never"}));
  name_values(*command, {{"BASE,NEW", {"--models"}},
                         {"NAMES", {"--metrics"}},
                         {"PERCENT", {"--margin", "--fail-on-regression"}},
                         {"METHOD", {"--correction"}},
                         {"FORMAT", {"--format"}},
                         {"WHEN", {"--color"}}});
  command->callback([arguments, &status] { status = run(*arguments); });
}

}  // namespace muxbench
