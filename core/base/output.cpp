#include "base/output.h"

#include <atomic>
#include <cstdio>

#include "base/error.h"

namespace muxbench {
namespace {

std::atomic<int> failure{0};  // the first errno
std::atomic<bool> told{false};

void note_failure() noexcept {
  int none = 0;
  failure.compare_exchange_strong(none, errno);
}

}  // namespace

void write_output(std::string_view text) noexcept {
  if (std::fwrite(text.data(), 1, text.size(), stdout) < text.size()) note_failure();
}

void write_error(std::string_view text) noexcept {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

bool flush_output(std::string_view program) {
  if (std::fflush(stdout) != 0) note_failure();
  const int error = failure;
  if (error == 0 || error == EPIPE) return true;
  if (!told.exchange(true)) {
    print_error(program, make_error("cannot write to standard output: {}", describe(Errno{error})));
  }
  return false;
}

int finish(std::string_view program, int status) {
  return flush_output(program) || status != 0 ? status : static_cast<int>(Exit::failure);
}

}  // namespace muxbench
