// Reports: a text, or the changes that the input makes to a report of a real run. It is refused in
// one sentence that names the file, or everything that reads reports can use it.
#include <iterator>
#include <string>
#include <vector>

#include "analysis/comparison.h"
#include "analysis/findings.h"
#include "analysis/measured_report.h"
#include "base/file.h"
#include "export/exports.h"
#include "input.h"
#include "report/read_report.h"

namespace muxbench {
namespace {

using fuzz::expect;
using fuzz::Input;

constexpr const char* kFile = "made.json";

void expect_sentence(const Error& error) {
  expect(error.exit == Exit::usage, "the exit status of a usage error");
  expect(error.message.find(kFile) != std::string::npos, "a sentence that names the file");
  expect(error.message.find('\n') == std::string::npos, "a sentence on one line");
  expect(error.message.find("json.exception") == std::string::npos, "words of our own");
}

const Json& real_report() {
  static const Json report = [] {
    const auto text = read_file(MUXBENCH_FUZZ_REPORT);
    expect(text.ok(), "the report " MUXBENCH_FUZZ_REPORT);
    return *parse_json(*text, MUXBENCH_FUZZ_REPORT);
  }();
  return report;
}

// One of its members; it has some.
Json::iterator nth(Json& json, std::size_t number) {
  return std::next(json.begin(), static_cast<std::ptrdiff_t>(number % json.size()));
}

// A value of the document, by a walk that takes a random member at each level.
Json& any_place(Json& json, Input& input) {
  Json* place = &json;
  while (place->is_structured() && !place->empty()) {
    const unsigned choice = input.byte();
    if (choice == 255) break;
    place = &*nth(*place, choice);
  }
  return *place;
}

Json any_value(Input& input) {
  switch (input.byte() % 12) {
    case 0:
      return {};
    case 1:
      return (input.byte() & 1) != 0;
    case 2:
      return "text";
    case 3:
      return "";
    case 4:
      return input.number(0, 70'000);
    case 5:
      return -1 - static_cast<int>(input.byte());
    case 6:
      return input.byte() / 16.0;
    case 7:
      return 1.7e308;
    case 8:
      return UINT64_MAX;
    case 9:
      return Json::array();
    case 10:
      return Json::object();
    default:
      return {{"x", 7}};
  }
}

void change(Json& report, Input& input) {
  Json& section = report.at("muxbench");
  Json& place = any_place(section, input);
  switch (input.byte() % 5) {
    case 0:
      place = any_value(input);
      break;
    case 1: {
      const Json copy = any_place(section, input);
      // The walk may have gone through what it now replaces.
      any_place(section, input) = copy;
      break;
    }
    case 2:
      if (place.is_structured() && !place.empty()) {
        place.erase(nth(place, input.byte()));
      }
      break;
    case 3:
      if (place.is_array() && !place.empty()) place.push_back(Json(place.front()));
      break;
    default:
      if (place.is_number()) {
        place = place.get<double>() * (input.byte() / 64.0);
      } else {
        place = any_value(input);
      }
  }
}

void use(const report::Report& report) {
  for (const ExportFormat& format : kExportFormats) {
    expect(!format.write(report).empty(), "an export with something in it");
  }
  expect(!conclude(report).findings.empty(), "findings");
  for (const report::Experiment& experiment : report.experiments) {
    if (experiment.cells.empty()) continue;
    const auto histogram = export_hgrm(report, experiment.cells.front().id);
    expect(!histogram.ok() || !histogram->empty(), "a histogram or a reason");
  }
  const auto measured = measured_report(report);
  if (!measured) return expect_sentence(measured.error());
  const CompareSettings settings{.across_hosts = true};
  const auto compared = compare_reports(*measured, *measured, settings);
  if (!compared) return expect_sentence(compared.error());
  for (const CellComparison& cell : compared->cells) {
    expect(cell.verdict != Verdict::faster && cell.verdict != Verdict::slower,
           "no difference of a report from itself");
  }
}

void try_input(Input input) {
  Result<Json> json = make_error("nothing yet");
  if (input.text().starts_with('{')) {
    json = parse_json(input.text(), kFile);
    if (!json) return expect_sentence(json.error());
  } else {
    json = real_report();
    for (int changes = 0; !input.empty() && changes < 8; ++changes) change(*json, input);
  }
  const auto report = read_report(std::move(*json), kFile);
  if (!report) return expect_sentence(report.error());
  use(*report);
}

}  // namespace
}  // namespace muxbench

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  muxbench::try_input({data, size});
  return 0;
}
