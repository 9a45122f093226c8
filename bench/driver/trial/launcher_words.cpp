#include "trial/launcher_words.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

namespace muxbench {
namespace {

using Lines = std::vector<std::string>;

bool has(const std::string& line, const char* words) {
  return line.find(words) != std::string::npos;
}

std::string trimmed(const std::string& line) {
  const auto from = line.find_first_not_of(" \t\r");
  if (from == std::string::npos) return {};
  return line.substr(from, line.find_last_not_of(" \t\r") - from + 1);
}

Lines lines_in(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string raw; std::getline(stream, raw);) {
    std::string line = trimmed(raw);
    if (line.find_first_not_of("-=*") == std::string::npos) continue;  // a rule, or nothing
    lines.push_back(std::move(line));
  }
  return lines;
}

// Those of ssh say why, and those of a launcher only that a host is missing.
bool is_of_ssh(const std::string& line) {
  return line.starts_with("ssh: ") || has(line, "Permission denied (") ||
         has(line, "Host key verification failed");
}

// A process of MPICH's launcher begins with its own host, whatever it is about.
bool is_of_hydra(const std::string& line) {
  return line.starts_with("[proxy:") || line.starts_with("[mpiexec@");
}

std::string host_in(const std::string& line, const Lines& hosts) {
  const auto named = std::find_if(hosts.begin(), hosts.end(), [&](const std::string& host) {
    return line.find(host) != std::string::npos;
  });
  return named == hosts.end() ? std::string() : *named;
}

// Open MPI names the host some lines before or after the cause.
std::string host_of(const Lines& lines, const std::string& cause, const Lines& hosts) {
  if (hosts.size() == 1) return hosts.front();
  if (auto host = host_in(cause, hosts); !host.empty()) return host;
  for (const std::string& line : lines) {
    if (is_of_hydra(line)) continue;
    if (auto host = host_in(line, hosts); !host.empty()) return host;
  }
  return "a load host";
}

// Of what Open MPI, MPICH, Slurm, the shell and the linker say about a program that does not start.
std::string known_cause(const Lines& lines, const Lines& hosts) {
  for (const std::string& line : lines) {
    if (has(line, "Exec format error")) {
      return fmt::format(
          "{} is of another architecture than the program (Exec format error): take load hosts of "
          "this machine's architecture",
          host_of(lines, line, hosts));
    }
    const bool of_exec = has(line, "execve()") || has(line, "execvp error");
    if (has(line, "an executable:") || (of_exec && has(line, "No such file"))) {
      const std::string host = host_of(lines, line, hosts);
      return fmt::format("{} has no such program: scripts/push.sh {} copies it", host, host);
    }
    if (has(line, "error while loading shared libraries")) {
      return fmt::format("{}; apt-get install there what has it (MPI's is in openmpi-bin)", line);
    }
    if (has(line, "orted: ") && (has(line, "not found") || has(line, "No such file"))) {
      return fmt::format("{}; apt-get install openmpi-bin there", line);
    }
  }
  return {};
}

}  // namespace

bool ssh_has_failed(const std::string& errors) {
  const Lines lines = lines_in(errors);
  return std::any_of(lines.begin(), lines.end(), is_of_ssh);
}

std::string gist_of(const std::string& errors, const std::vector<std::string>& hosts) {
  constexpr std::size_t kReadable = 300;
  const Lines lines = lines_in(errors);
  const auto ssh = std::find_if(lines.begin(), lines.end(), is_of_ssh);
  std::string gist = ssh == lines.end() ? known_cause(lines, hosts) : *ssh;
  for (const std::string& line : lines) {
    if (gist.empty() && !is_of_hydra(line) && !host_in(line, hosts).empty()) gist = line;
  }
  if (gist.empty()) gist = fmt::format("{}", fmt::join(lines, " "));
  if (gist.size() > kReadable) gist = gist.substr(0, kReadable) + " ...";
  return gist;
}

}  // namespace muxbench
