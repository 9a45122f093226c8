// What a host offers for measuring, and the remedy for each lack.
#pragma once

#include <string>
#include <vector>

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

Diagnosis good(std::string subject, std::string found);
Diagnosis lack(std::string subject, std::string found, std::string remedy);
Diagnosis missing(std::string subject, std::string found, std::string remedy);

// Of the host alone, whatever will run on it.
std::vector<Diagnosis> examine_host();

}  // namespace muxbench
