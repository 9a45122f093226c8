// What this host offers for a run, and the remedy for each lack.
#pragma once

#include <string>
#include <vector>

#include "run/default_paths.h"

namespace muxbench {

enum class Health {
  good,
  lack,     // something is weaker or noisier than it could be
  missing,  // nothing can run without it
};

struct Diagnosis {
  std::string subject;
  Health health = Health::good;
  std::string found;
  std::string remedy;  // unless good
};

std::vector<Diagnosis> examine_host(const Paths& paths);

}  // namespace muxbench
