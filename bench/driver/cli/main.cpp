// muxbench: compares I/O multiplexing strategies by measuring one server program per strategy.
#include "cli/program.h"

int main(int argc, char** argv) { return muxbench::run_program(argc, argv); }
