// Text on standard output and standard error. Nothing here throws: a run does not end because nobody
// reads its progress. What standard output did not take is told once, at a flush or at the end.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace muxbench {

void write_output(std::string_view text) noexcept;
void write_error(std::string_view text) noexcept;  // lost where it cannot be written

template <typename... Args>
void print(fmt::format_string<Args...> format, Args&&... args) {
  write_output(fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
void print_stderr(fmt::format_string<Args...> format, Args&&... args) {
  write_error(fmt::format(format, std::forward<Args>(args)...));
}

// Flushes standard output. False, and a sentence the first time, where it did not take everything so
// far, as on a full disk. A reader who has gone wanted no more.
bool flush_output(std::string_view program);

// The last line of main(): the exit status, of a failure where output was lost.
int finish(std::string_view program, int status);

}  // namespace muxbench
