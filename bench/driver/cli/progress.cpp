#include "cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "analysis/cell_ratio.h"
#include "analysis/findings.h"
#include "base/format.h"
#include "base/output.h"
#include "export/answer_text.h"
#include "run/make_report.h"

namespace muxbench {
namespace {

// A line that the terminal breaks would not be found again to be redrawn.
std::size_t terminal_columns() {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kUsual;
}

}  // namespace

std::string cut_to_columns(const std::string& text, std::size_t columns) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins =
        (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;  // a character of UTF-8
    if (begins && seen++ == columns) return text.substr(0, i);
  }
  return text;
}

Progress::Progress(bool quiet) : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (rows_ == 0) return;
  const std::string up = rows_ > 1 ? fmt::format("\033[{}A", rows_ - 1) : "";
  print_stderr("\r{}\033[J", up);
  rows_ = 0;
}

void Progress::draw() {
  const std::size_t columns = terminal_columns() - 1;
  std::string text;
  for (const std::string& row : leaders_) text += cut_to_columns(row, columns) + "\n";
  clear();
  print_stderr("{}{}", text, cut_to_columns(line_, columns));
  rows_ = leaders_.size() + 1;
}

void Progress::trial_begins(std::size_t done, std::size_t trials, Nanoseconds left,
                            const std::string& next) {
  if (quiet_) return;
  const std::size_t percent = done * 100 / trials;
  if (terminal_) {
    constexpr std::size_t kWidth = 16;
    const std::size_t filled = done * kWidth / trials;
    line_ = fmt::format("[{}{}] about {} left: {} (trial {} of {})", std::string(filled, '#'),
                        std::string(kWidth - filled, '.'), format_duration(left), next, done + 1,
                        trials);
    draw();
  } else if (const std::size_t tenths = percent / 10; done == 0 || tenths > tenths_) {
    tenths_ = tenths;
    print_stderr("{:>3} %: {} of {} trials, about {} left: {}\n", percent, done, trials,
                 format_duration(left), next);
  }
}

void Progress::repetition_ends(const RunRecord& record, unsigned done, unsigned repetitions) {
  if (quiet_ || done == 0 || done == repetitions) return;
  report::Report report = make_report(record);
  add_relative(report);
  report.conclusions = conclude(report);
  auto leaders = leader_lines(report);
  if (leaders.empty()) return;
  leaders.insert(leaders.begin(), fmt::format("After {} of {} rounds:", done, repetitions));
  if (terminal_) {
    leaders_ = std::move(leaders);
  } else {
    for (const std::string& row : leaders) print_stderr("{}\n", row);
  }
}

void Progress::remark(const std::string& sentence) {
  const bool drawn = rows_ > 0;
  clear();
  print_stderr("{}\n", sentence);
  if (drawn) draw();
}

}  // namespace muxbench
