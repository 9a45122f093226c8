#include "cli/progress.h"

#include <unistd.h>

#include <utility>

#include "analysis/cell_ratio.h"
#include "analysis/findings.h"
#include "base/format.h"
#include "base/output.h"
#include "export/answer_text.h"
#include "run/make_report.h"

namespace muxbench {

Progress::Progress(bool quiet) : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (std::exchange(drawn_, false)) print_stderr("\r\033[K");
}

void Progress::trial_begins(std::size_t done, std::size_t trials, Nanoseconds left,
                            const std::string& next) {
  if (quiet_) return;
  const std::size_t percent = done * 100 / trials;
  if (terminal_) {
    constexpr std::size_t kWidth = 24;
    const std::size_t filled = done * kWidth / trials;
    print_stderr("\r\033[K[{}{}] {:>3} %  trial {} of {}, about {} left  {:.60}",
                 std::string(filled, '#'), std::string(kWidth - filled, '.'), percent, done + 1,
                 trials, format_duration(left), next);
    std::fflush(stderr);
    drawn_ = true;
  } else if (const std::size_t tenths = percent / 10; done == 0 || tenths > tenths_) {
    tenths_ = tenths;
    print_stderr("{:>3} %: {} of {} trials, about {} left\n", percent, done, trials,
                 format_duration(left));
  }
}

void Progress::repetition_ends(const RunRecord& record, unsigned done, unsigned repetitions) {
  if (quiet_ || done == 0 || done == repetitions) return;
  report::Report report = make_report(record);
  add_relative(report);
  report.conclusions = conclude(report);
  const std::string answer = answer_lines(report);
  if (!answer.empty())
    remark(fmt::format("\nAfter {} of {} rounds:\n{}", done, repetitions, answer));
}

void Progress::remark(const std::string& sentence) {
  clear();
  print_stderr("{}\n", sentence);
}

}  // namespace muxbench
