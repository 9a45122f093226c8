/* What the BPF program and the driver share: the layout of its maps. Plain C, for both. */
#ifndef MUXBENCH_SYSCALL_COUNTS_H
#define MUXBENCH_SYSCALL_COUNTS_H

#include <linux/types.h>

#define MUXBENCH_SYSCALLS 512
#define MUXBENCH_RING_OPERATIONS 128

struct syscall_count {
  __u64 calls;
  __u64 again;      /* results that are -EAGAIN */
  __u64 errors;     /* other negative results */
  __u64 result_sum; /* of positive results */
};

struct other_count {
  __u64 voluntary_switches;
  __u64 involuntary_switches;
  __u64 ring_completions;
};

#endif
