// The program that stands in for a model whose library was missing when it was built: --describe
// says so, and nothing else works. It is linked with nothing, so it costs a build next to nothing.
#include <algorithm>
#include <cstdio>
#include <string_view>

#define REASON                                                                    \
  "it was built without " MUXBENCH_MISSING "; apt-get install " MUXBENCH_PACKAGES \
  ", and build again"

int main(int argc, char** argv) {
  constexpr int kUnavailable = 3;
  if (std::count(argv, argv + argc, std::string_view("--describe")) != 0) {
    std::puts("{\"name\":\"" MUXBENCH_MODEL "\",\"family\":\"" MUXBENCH_FAMILY
              "\",\"mechanism\":\"not built\",\"available\":false,\"reason\":\"" REASON
              "\",\"capabilities\":{},\"features\":{}}");
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
    std::perror("server_" MUXBENCH_MODEL ": cannot write to standard output");
    return 1;
  }
  std::fputs("server_" MUXBENCH_MODEL ": this model cannot run here: " REASON "\n", stderr);
  return kUnavailable;
}
