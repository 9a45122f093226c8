#include "system/call_checks.h"

#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "system/host_files.h"

namespace muxbench {
namespace {

// The error of a call that is made without a valid argument, so that it changes nothing; 0: it killed
// its caller, which is why a child makes it.
int error_of(long number, std::array<long, 6> arguments) {
  const pid_t child = ::fork();
  if (child < 0) return EAGAIN;
  if (child == 0) {
    const auto& [a, b, c, d, e, f] = arguments;
    ::_exit(::syscall(number, a, b, c, d, e, f) < 0 ? errno : EINVAL);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

// What is there and allowed complains of the arguments.
bool is_refusal(int error) {
  return error == 0 || error == EPERM || error == EACCES || error == ENOSYS;
}

std::optional<RefusedCall> first_refused_of_io_uring() {
  struct Call {
    const char* name;
    long number;
    std::array<long, 6> arguments;
  };
  for (const Call& call : {Call{"io_uring_setup", SYS_io_uring_setup, {}},
                           Call{"io_uring_enter", SYS_io_uring_enter, {-1}},
                           Call{"io_uring_register", SYS_io_uring_register, {-1}}}) {
    const int error = error_of(call.number, call.arguments);
    if (is_refusal(error)) return RefusedCall{call.name, error};
  }
  return {};
}

// seccomp(2): 2 is a filter.
bool has_seccomp_filter(const Root& root) {
  return field_of(root / "proc/self/status", "Seccomp:") == "2";
}

}  // namespace

Diagnosis explain_refusal(const std::string& subject, const RefusedCall& call, const Root& root) {
  const std::string found = call.error == 0 ? fmt::format("who calls {} is killed", call.name)
                                            : fmt::format("{} fails with {}", call.name,
                                                          describe(static_cast<Errno>(call.error)));
  const std::string disabled = first_line(root / "proc/sys/kernel/io_uring_disabled");
  const bool by_sysctl =
      call.error == EPERM && call.name == "io_uring_setup" && (disabled == "1" || disabled == "2");
  if (by_sysctl) {
    return lack(subject, fmt::format("{}: kernel.io_uring_disabled is {}", found, disabled),
                "as root: sysctl kernel.io_uring_disabled=0; until then its models are skipped");
  }
  if (call.error == 0 || has_seccomp_filter(root)) {
    return lack(subject, found + ": a seccomp filter forbids it",
                "run outside of this container or service, or with a filter that allows it (docker "
                "run --security-opt seccomp=unconfined, systemd's SystemCallFilter); until then "
                "its models are skipped");
  }
  if (call.error == ENOSYS) {
    return lack(
        subject, found,
        "use Linux 5.6 or newer, built with CONFIG_IO_URING and CONFIG_AIO; here its models "
        "are skipped");
  }
  return lack(
      subject, found,
      "see whether a security module (dmesg) forbids it; until then its models are skipped");
}

Diagnosis check_io_uring() {
  if (const auto refused = first_refused_of_io_uring()) {
    return explain_refusal("io_uring", *refused);
  }
  return good("io_uring", "available");
}

Diagnosis check_linux_aio() {
  aio_context_t context = 0;  // what it becomes ends with the child
  const int error = error_of(SYS_io_setup, {8, reinterpret_cast<long>(&context)});
  if (is_refusal(error)) return explain_refusal("linux aio", {"io_setup", error});
  if (error == EAGAIN) {
    return lack("linux aio", fmt::format("io_setup fails with {}", describe(Errno{EAGAIN})),
                "raise the sysctl fs.aio-max-nr, as root; until then its models are skipped");
  }
  return good("linux aio", "available");
}

}  // namespace muxbench
