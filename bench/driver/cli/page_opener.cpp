#include "cli/page_opener.h"

#include <cstdlib>
#include <filesystem>

#include "base/directory.h"

namespace muxbench {
namespace {

constexpr auto kPatience = std::chrono::seconds(5);

// The browser is to outlive the driver, so it is in a session of its own; setsid(1) tells how xdg-open
// ended.
constexpr const char* kScript =
    "IFS= read -r page && exec setsid --wait \"$1\" \"$page\" >/dev/null";

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

Result<PageOpener> PageOpener::make() {
  if (!is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY")) {
    return make_error("there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)");
  }
  const std::string program = find_program("xdg-open");
  if (program.empty()) {
    return make_error("there is no xdg-open (apt-get install xdg-utils)");
  }
  auto waiting =
      ChildProcess::start({.command = {"/bin/sh", "-c", kScript, "sh", program}, .listens = true});
  if (!waiting) return waiting.error();
  return PageOpener(std::move(*waiting));
}

Result<> PageOpener::open(const std::string& page) {
  std::error_code ignored;
  waiting_.say(std::filesystem::absolute(page, ignored).string());
  const auto status = waiting_.wait_until(Clock::now() + kPatience);
  if (!status || *status == 0) return {};
  const std::string why = waiting_.last_words();
  return make_error("xdg-open {}{}{}", describe_status(*status), why.empty() ? "" : ": ", why);
}

}  // namespace muxbench
