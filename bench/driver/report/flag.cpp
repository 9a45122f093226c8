#include "report/flag.h"

#include <algorithm>

namespace muxbench {

bool forbids_ranking(const Flag& flag) {
  return flag.kind != "few_undisturbed" && flag.kind != "host_state";
}

bool forbid_ranking(const std::vector<Flag>& flags) {
  return std::any_of(flags.begin(), flags.end(), forbids_ranking);
}

}  // namespace muxbench
