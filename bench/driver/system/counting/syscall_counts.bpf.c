// Counts what the processes of one cgroup ask of the kernel: system calls by number with their
// results, operations given to io_uring, and context switches.
//
// It runs inside the kernel at five raw tracepoints (no arguments are copied, nothing is sent to
// user space) and only adds to counters that the driver reads at the edges of its window. All that
// it takes from the kernel's own types is three fields, whose places libbpf looks up in the running
// kernel's BTF (CO-RE), so no generated vmlinux.h is needed.
#include <linux/bpf.h>
// bpf_helpers.h needs the types above it.
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "syscall_counts.h"

char LICENSE[] SEC("license") = "GPL";  // bpf_probe_read_kernel() is for GPL programs only

#define KNOWN_BY_BTF __attribute__((preserve_access_index))

struct pt_regs {
#if defined(__TARGET_ARCH_x86)
  unsigned long orig_ax;  // the system call's number, kept while rax holds the result
#elif defined(__TARGET_ARCH_arm64)
  int syscallno;
#endif
} KNOWN_BY_BTF;

struct io_kiocb {  // one request to io_uring
  __u8 opcode;
} KNOWN_BY_BTF;

struct task_struct {
  unsigned int __state;
} KNOWN_BY_BTF;

// libbpf fills this in, and the verifier then removes the branches that it decides: what a
// tracepoint passes has changed over time.
extern int LINUX_KERNEL_VERSION __kconfig;
#define VERSION(major, minor) (((major) << 16) + ((minor) << 8))

// Slot 0: the cgroup to watch, with all below it.
struct {
  __uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} watched SEC(".maps");

// One copy of each counter for each CPU, so that CPUs do not fight over cache lines.
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, MUXBENCH_SYSCALLS);
  __type(key, __u32);
  __type(value, struct syscall_count);
} calls SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, MUXBENCH_RING_OPERATIONS);
  __type(key, __u32);
  __type(value, __u64);
} ring_operations SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct other_count);
} others SEC(".maps");

static __always_inline int is_watched(void) {
  return bpf_current_task_under_cgroup(&watched, 0) == 1;
}

// Atomic, although each CPU has its own copy: whether tracepoints may be preempted differs between
// kernels, and a lost count would not be exact.
static __always_inline void add(__u64* counter, __u64 more) { __sync_fetch_and_add(counter, more); }

static __always_inline struct syscall_count* count_of(long number) {
  // Numbers beyond the table (a newer kernel's) share the last entry.
  __u32 index = number < MUXBENCH_SYSCALLS ? number : MUXBENCH_SYSCALLS - 1;
  return bpf_map_lookup_elem(&calls, &index);
}

static __always_inline struct other_count* other(void) {
  __u32 index = 0;
  return bpf_map_lookup_elem(&others, &index);
}

SEC("raw_tp")  // sys_enter(struct pt_regs* regs, long number)
int on_syscall_enter(struct bpf_raw_tracepoint_args* arguments) {
  long number = arguments->args[1];
  struct syscall_count* count;
  if (number < 0 || !is_watched()) return 0;
  count = count_of(number);
  if (count) add(&count->calls, 1);
  return 0;
}

SEC("raw_tp")  // sys_exit(struct pt_regs* regs, long result)
int on_syscall_exit(struct bpf_raw_tracepoint_args* arguments) {
  struct pt_regs* regs = (struct pt_regs*)arguments->args[0];
  long result = arguments->args[1];
  struct syscall_count* count;
  long number;
  if (result == 0 || !is_watched()) return 0;
#if defined(__TARGET_ARCH_x86)
  number = BPF_CORE_READ(regs, orig_ax);
#else
  number = BPF_CORE_READ(regs, syscallno);
#endif
  if (number < 0) return 0;  // rt_sigreturn(2) has wiped it
  count = count_of(number);
  if (!count) return 0;
  if (result > 0) {
    add(&count->result_sum, result);
  } else if (result == -11) {  // EAGAIN
    add(&count->again, 1);
  } else if (result >= -4095) {
    add(&count->errors, 1);
  }
  return 0;
}

SEC("raw_tp")  // io_uring_submit_req(struct io_kiocb* request); before Linux 6.4 io_uring_submit_sqe
int on_ring_submission(struct bpf_raw_tracepoint_args* arguments) {
  struct io_kiocb* request = (struct io_kiocb*)arguments->args[0];
  __u32 opcode;
  __u64* count;
  if (!is_watched()) return 0;
  opcode = BPF_CORE_READ(request, opcode);
  if (opcode >= MUXBENCH_RING_OPERATIONS) opcode = MUXBENCH_RING_OPERATIONS - 1;
  count = bpf_map_lookup_elem(&ring_operations, &opcode);
  if (count) add(count, 1);
  return 0;
}

SEC("raw_tp")  // io_uring_complete(...): one more entry in a completion queue
int on_ring_completion(struct bpf_raw_tracepoint_args* arguments) {
  struct other_count* count;
  if (!is_watched()) return 0;
  count = other();
  if (count) add(&count->ring_completions, 1);
  return 0;
}

// sched_switch(bool preempted, struct task_struct* from, struct task_struct* to, unsigned int
// state): the current task is still `from`. As in the kernel's own nvcsw and nivcsw, a switch is
// voluntary when the task went to sleep.
SEC("raw_tp")
int on_switch(struct bpf_raw_tracepoint_args* arguments) {
  struct other_count* count;
  unsigned int state;
  if (!is_watched()) return 0;
  if (LINUX_KERNEL_VERSION >= VERSION(5, 18)) {
    state = arguments->args[3];
  } else {
    struct task_struct* from = (struct task_struct*)arguments->args[1];
    state = BPF_CORE_READ(from, __state);
  }
  count = other();
  if (!count) return 0;
  if (arguments->args[0] || state == 0) {
    add(&count->involuntary_switches, 1);
  } else {
    add(&count->voluntary_switches, 1);
  }
  return 0;
}
