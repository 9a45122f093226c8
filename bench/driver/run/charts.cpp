#include "run/charts.h"

#include "base/directory.h"

namespace muxbench {

std::string find_drawing_python(const std::vector<std::string>& candidates) {
  for (const std::string& python : candidates) {
    if (python.empty()) continue;
    const auto imports = run_programs({{python, "-c", "import matplotlib, numpy"}});
    if (imports.front().status == 0) return python;
  }
  return "";
}

std::string find_drawing_python() {
  return find_drawing_python({find_program("python3"), find_program("/usr/bin/python3")});
}

Result<std::vector<EndedProgram>> draw_charts(const std::string& plots_dir,
                                              const std::string& folder, bool quiet) {
  const auto file = [&](const char* name) { return folder + "/" + name; };
  const bool has_micro = exists(file("micro.json"));
  const bool has_report = exists(file("report.json"));
  if (!has_micro && !has_report) return std::vector<EndedProgram>{};
  if (!exists(plots_dir + "/make_charts.py")) {
    return make_error(
        "no charts are drawn: there is no script make_charts.py in {}; name the folder with "
        "--plots-dir, or leave them out with --no-charts",
        plots_dir);
  }
  const std::string python = find_drawing_python();
  if (python.empty()) {
    return make_error(
        "no charts are drawn: no Python here has matplotlib and numpy; install them (apt-get "
        "install python3-matplotlib python3-numpy), and draw with {}/make_charts.py",
        plots_dir);
  }
  std::vector<std::vector<std::string>> commands;
  const auto draw = [&](const char* script, std::vector<std::string> words, bool silent) {
    words.insert(words.begin(), {python, plots_dir + "/" + script});
    if (silent) words.emplace_back("--quiet");
    commands.push_back(std::move(words));
  };
  if (has_micro) {
    draw("make_micro.py",
         {file("micro.json"), "--out", file("charts"), "--append-to", file("summary.md")}, quiet);
  }
  if (has_report) {
    draw("make_charts.py", {file("report.json"), "--out", file("charts")}, quiet);
    draw("make_report.py", {file("report.json"), "--out", file("report.html")}, true);
  }
  return run_programs(commands);
}

}  // namespace muxbench
