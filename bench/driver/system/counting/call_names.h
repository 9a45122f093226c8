// Names of system calls and of io_uring operations, and which results are numbers worth a sum.
#pragma once

#include <string>
#include <string_view>

namespace muxbench {

std::string syscall_name(unsigned number);  // "recvfrom"; "syscall_463" where this build knows none
std::string ring_operation_name(unsigned opcode);  // "recv"; "operation_63" likewise

// Its positive results are a number of bytes, of events, or of operations.
bool result_is_a_number(std::string_view syscall);

}  // namespace muxbench
