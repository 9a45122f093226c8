#include "base/error.h"

#include <cstring>

#include "base/output.h"

namespace muxbench {

std::string describe(Errno number) {
  const int value = static_cast<int>(number);
  const char* name = strerrorname_np(value);
  const char* text = strerrordesc_np(value);
  if (name == nullptr || text == nullptr) return fmt::format("error {}", value);
  return fmt::format("{} ({})", text, name);
}

int print_error(std::string_view program, const Error& error) {
  print_stderr("{}: {}\n", program, error.message);
  return static_cast<int>(error.exit);
}

}  // namespace muxbench
