#include "driver/progress.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/output.h"
#include "driver/show.h"

namespace muxbench {

Progress::Progress(std::size_t trials, bool quiet)
    : trials_(trials), quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (std::exchange(drawn_, false)) print_error("\r\033[K");
}

void Progress::update(std::size_t done, Nanoseconds left, const std::string& next) {
  trials_ = std::max(trials_, done + 1);  // --target-ci adds some
  if (quiet_) return;
  const std::size_t percent = done * 100 / trials_;
  if (terminal_) {
    constexpr std::size_t kWidth = 24;
    const std::size_t filled = done * kWidth / trials_;
    print_error("\r\033[K[{}{}] {:>3} %  trial {} of {}, about {} left  {:.60}",
                std::string(filled, '#'), std::string(kWidth - filled, '.'), percent,
                std::min(done + 1, trials_), trials_, show_duration(left), next);
    std::fflush(stderr);
    drawn_ = true;
  } else if (const std::size_t tenths = percent / 10; done == 0 || tenths > tenths_) {
    tenths_ = tenths;
    print_error("{:>3} %: {} of {} trials, about {} left\n", percent, done, trials_,
                show_duration(left));
  }
}

void Progress::say(const std::string& sentence) {
  clear();
  print_error("{}\n", sentence);
}

}  // namespace muxbench
