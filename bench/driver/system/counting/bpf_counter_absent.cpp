// Stands in for bpf_counter.cpp in a build without clang, bpftool or libbpf.
#include "system/counting/syscall_counter.h"

namespace muxbench {

Result<std::unique_ptr<SyscallCounter>> open_bpf_counter() {
  return make_error("this muxbench was built without BPF: {}; {}", MUXBENCH_NO_BPF_BECAUSE,
                    MUXBENCH_NO_BPF_REMEDY);
}

}  // namespace muxbench
