// What went wrong: Errno is a system call's number, Error is a sentence for a person and the exit
// status it leads to.
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <string>

namespace muxbench {

// errno(3) as a type of its own, so that it is never mistaken for a count or a descriptor.
enum class Errno : int {};

inline Errno last_errno() noexcept { return static_cast<Errno>(errno); }

// "Connection refused (ECONNREFUSED)"
std::string describe(Errno number);

// Exit statuses, the same in every program of muxbench.
enum class Exit : int {
  success = 0,
  failure = 1,      // it was tried and did not work
  usage = 2,        // arguments or input files that make no sense
  unavailable = 3,  // this kernel or build lacks what the program needs
};

struct Error {
  std::string message;  // one sentence: the cause, then the remedy
  Exit exit = Exit::failure;
};

template <typename... Args>
Error make_error(fmt::format_string<Args...> format, Args&&... args) {
  return {fmt::format(format, std::forward<Args>(args)...), Exit::failure};
}

template <typename... Args>
Error usage_error(fmt::format_string<Args...> format, Args&&... args) {
  return {fmt::format(format, std::forward<Args>(args)...), Exit::usage};
}

// Prints "program: message" on stderr and returns the exit status: the last line of every main().
int print_error(std::string_view program, const Error& error);

}  // namespace muxbench
