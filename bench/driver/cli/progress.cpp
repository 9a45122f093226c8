#include "cli/progress.h"

#include <unistd.h>

#include <utility>

#include "base/format.h"
#include "base/output.h"

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

void Progress::remark(const std::string& sentence) {
  clear();
  print_stderr("{}\n", sentence);
}

}  // namespace muxbench
