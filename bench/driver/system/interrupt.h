// SIGINT, SIGTERM and SIGHUP become a flag and a readable descriptor: every wait of the driver
// watches it, so that a run stops within moments and still writes its report.
#pragma once

#include "base/result.h"

namespace muxbench {

Result<> catch_interrupts();
bool interrupted() noexcept;
int interrupt_fd() noexcept;  // readable once interrupted; -1 before catch_interrupts()
// The exit status that a shell gives to the first of these signals: 130 after SIGINT, 143 after SIGTERM.
// 0 if there was none; forget_interrupt() does not change it.
int interrupt_status() noexcept;
// What ends an interrupted run (its charts) may be interrupted in its turn: only a further signal
// counts from here on.
void forget_interrupt() noexcept;

// In a child between fork(2) and exec(3): signals as a program expects to find them.
void restore_signals() noexcept;

}  // namespace muxbench
