// The first backend: loads the programs of syscall_counts.bpf.c and reads their maps.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/resource.h>

#include <array>
#include <cstdarg>
#include <utility>

#include "syscall_counts.skel.h"
#include "system/counting/call_names.h"
#include "system/counting/syscall_counter.h"
#include "system/counting/syscall_counts.h"

namespace muxbench {
namespace {

// What libbpf would print: kept, since its last sentence is the reason of a failure.
std::string& last_warning() {
  static std::string text;
  return text;
}

__attribute__((format(printf, 2, 0))) int keep_warning(enum libbpf_print_level level,
                                                       const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  std::array<char, 512> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  last_warning() = text.data();
  while (last_warning().ends_with('\n')) last_warning().pop_back();
  return 0;
}

Error why(const char* what) {
  const int code = errno;
  const bool denied = code == EPERM || code == EACCES;
  return Error{fmt::format("{}: {}{}{}{}", what, describe(Errno{code}),
                           last_warning().empty() ? "" : ": ", last_warning(),
                           denied ? "; run as root (CAP_BPF and CAP_PERFMON)" : "")};
}

struct Destroy {
  void operator()(syscall_counts* programs) const { syscall_counts__destroy(programs); }
};
struct Detach {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using Link = std::unique_ptr<bpf_link, Detach>;

// The copies of one map entry, one for each CPU.
template <typename Value>
Result<std::vector<Value>> read_entry(const bpf_map* map, __u32 index, int cpus) {
  std::vector<Value> copies(static_cast<std::size_t>(cpus));
  const std::size_t bytes = copies.size() * sizeof(Value);
  if (bpf_map__lookup_elem(map, &index, sizeof index, copies.data(), bytes, 0) != 0) {
    return why("a BPF map cannot be read");
  }
  return copies;
}

class BpfCounter final : public SyscallCounter {
 public:
  BpfCounter(std::unique_ptr<syscall_counts, Destroy> programs, int cpus)
      : programs_(std::move(programs)), cpus_(cpus) {}

  const char* backend() const noexcept override { return "bpf"; }

  Result<> watch(const WatchedProcesses& processes) override {
    stop();
    const Cgroup* group = processes.cgroup;
    if (group == nullptr || group->kind() != CgroupKind::v2) {
      return make_error(
          "BPF tells processes by their cgroup v2, and no such group can be made here; "
          "mount one (as root: mount -t cgroup2 none DIR)");
    }
    const __u32 slot = 0;
    const __u32 fd = static_cast<__u32>(group->directory_fd());
    if (bpf_map__update_elem(programs_->maps.watched, &slot, sizeof slot, &fd, sizeof fd,
                             BPF_ANY) != 0) {
      return why("the cgroup cannot be given to BPF");
    }
    for (const auto& [program, tracepoint] :
         {std::pair{programs_->progs.on_syscall_exit, "sys_exit"},
          std::pair{programs_->progs.on_syscall_enter, "sys_enter"},
          std::pair{programs_->progs.on_switch, "sched_switch"}}) {
      if (!attach(program, tracepoint)) return why("a tracepoint cannot be attached");
    }
    sees_rings_ = (attach(programs_->progs.on_ring_submission, "io_uring_submit_req") ||
                   attach(programs_->progs.on_ring_submission, "io_uring_submit_sqe")) &&
                  attach(programs_->progs.on_ring_completion, "io_uring_complete");
    return {};
  }

  Result<SyscallCounts> read() const override {
    SyscallCounts counts;
    for (__u32 number = 0; number < MUXBENCH_SYSCALLS; ++number) {
      const auto copies = read_entry<syscall_count>(programs_->maps.calls, number, cpus_);
      if (!copies) return copies.error();
      add_call(number, *copies, counts);
    }
    if (sees_rings_) {
      auto& operations = counts.ring_operations.emplace();
      for (__u32 opcode = 0; opcode < MUXBENCH_RING_OPERATIONS; ++opcode) {
        const auto copies = read_entry<__u64>(programs_->maps.ring_operations, opcode, cpus_);
        if (!copies) return copies.error();
        std::uint64_t sum = 0;
        for (const __u64 copy : *copies) sum += copy;
        if (sum > 0) operations[ring_operation_name(opcode)] = sum;
      }
      counts.ring_completions = 0;
    }
    const auto copies = read_entry<other_count>(programs_->maps.others, 0, cpus_);
    if (!copies) return copies.error();
    for (const other_count& copy : *copies) {
      counts.voluntary_switches += copy.voluntary_switches;
      counts.involuntary_switches += copy.involuntary_switches;
      if (counts.ring_completions) *counts.ring_completions += copy.ring_completions;
    }
    return counts;
  }

  void stop() noexcept override { links_.clear(); }

 private:
  bool attach(bpf_program* program, const char* tracepoint) {
    last_warning().clear();
    Link link(bpf_program__attach_raw_tracepoint(program, tracepoint));
    if (!link) return false;
    links_.push_back(std::move(link));
    return true;
  }

  static void add_call(__u32 number, const std::vector<syscall_count>& copies,
                       SyscallCounts& counts) {
    SyscallCount call{.again = 0, .errors = 0};
    std::uint64_t result_sum = 0;
    for (const syscall_count& copy : copies) {
      call.calls += copy.calls;
      *call.again += copy.again;
      *call.errors += copy.errors;
      result_sum += copy.result_sum;
    }
    if (call.calls == 0 && *call.again == 0 && result_sum == 0) return;
    const std::string name = syscall_name(number);
    if (result_is_a_number(name)) call.result_sum = result_sum;
    counts.total_calls += call.calls;
    counts.calls[name] = call;
  }

  std::unique_ptr<syscall_counts, Destroy> programs_;
  int cpus_;
  bool sees_rings_ = false;
  std::vector<Link> links_;
};

}  // namespace

Result<std::unique_ptr<SyscallCounter>> open_bpf_counter() {
  libbpf_set_print(keep_warning);
  last_warning().clear();
  std::unique_ptr<syscall_counts, Destroy> programs(syscall_counts__open());
  if (!programs) return why("the BPF programs cannot be opened");
  if (const int failed = syscall_counts__load(programs.get()); failed != 0) {
    errno = -failed;
    return why("the BPF programs cannot be loaded");
  }
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0) return make_error("the number of possible CPUs is not known");
  return std::unique_ptr<SyscallCounter>(new BpfCounter(std::move(programs), cpus));
}

}  // namespace muxbench
