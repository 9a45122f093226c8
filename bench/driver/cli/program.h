// The whole program: reads the command line and runs the command that it names.
#pragma once

namespace muxbench {

// The exit status.
int run_program(int argc, char** argv);

}  // namespace muxbench
