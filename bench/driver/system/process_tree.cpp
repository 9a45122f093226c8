#include "system/process_tree.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <fstream>
#include <initializer_list>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

#include "base/directory.h"

namespace muxbench {
namespace {

Nanoseconds from_ticks(long ticks) {
  static const long per_second = ::sysconf(_SC_CLK_TCK);
  return Nanoseconds(std::chrono::seconds(1)) * ticks / per_second;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> pids;
  for (const std::string& name : names_in("/proc")) {
    pid_t pid = 0;
    const char* const end = name.data() + name.size();
    if (std::from_chars(name.data(), end, pid).ptr == end) pids.push_back(pid);
  }
  return pids;
}

std::string tasks_of(pid_t pid) { return fmt::format("/proc/{}/task/", pid); }

// /proc/PID/task/TID/children lists the children of one thread, where the kernel has
// CONFIG_PROC_CHILDREN. With more threads or processes than this, asking each of them takes longer
// than asking every process of the machine for its parent.
constexpr std::size_t kFew = 64;

bool kernel_lists_children() {
  static const bool listed = exists("/proc/thread-self/children");
  return listed;
}

bool has_few_threads(pid_t pid) {
  struct stat tasks {};
  // A directory has a link for each of its own: "." and ".." besides the threads.
  return ::stat(tasks_of(pid).c_str(), &tasks) != 0 || tasks.st_nlink <= kFew + 2;
}

void append_listed_children(pid_t parent, std::vector<pid_t>& pids) {
  for (const std::string& thread : names_in(tasks_of(parent))) {
    std::ifstream file(tasks_of(parent) + thread + "/children");
    for (pid_t child = 0; file >> child;) pids.push_back(child);
  }
}

std::multimap<pid_t, pid_t> all_by_parent() {
  std::multimap<pid_t, pid_t> children;
  for (const pid_t pid : all_processes()) {
    if (const auto stat = read_stat(pid)) children.emplace(stat->parent, pid);
  }
  return children;
}

// "KEY:   123 kB": what these lines of the file hold together, over all processes; nothing where there is nothing.
std::optional<std::uint64_t> sum_of_bytes(const std::vector<pid_t>& pids, const char* name,
                                          std::initializer_list<std::string_view> keys) {
  std::uint64_t sum = 0;
  for (const pid_t pid : pids) {
    std::ifstream file(fmt::format("/proc/{}/{}", pid, name));
    std::uint64_t kibibytes = 0;
    for (std::string key, unit; file >> key; std::getline(file, unit)) {
      const bool wanted = std::find(keys.begin(), keys.end(), key) != keys.end();
      if (wanted && file >> kibibytes) sum += kibibytes * 1024;
    }
  }
  if (sum == 0) return {};
  return sum;
}

}  // namespace

std::optional<ProcessStat> read_stat(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  if (!std::getline(file, text)) return {};
  // proc(5): the name in parentheses may hold anything, so fields count from the last one.
  const auto end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return {};
  std::istringstream fields(text.substr(end_of_name + 1));
  ProcessStat stat;
  std::string skipped;
  fields >> stat.state >> stat.parent;
  for (int field = 5; field <= 15; ++field) fields >> skipped;
  long children_user = 0;
  long children_system = 0;
  if (!(fields >> children_user >> children_system)) return {};
  for (int field = 18; field <= 21; ++field) fields >> skipped;
  if (!(fields >> stat.started)) return {};
  stat.children = from_ticks(children_user + children_system);
  return stat;
}

bool is_living(pid_t pid) {
  const auto stat = read_stat(pid);
  return stat && stat->state != 'Z' && stat->state != 'X';
}

std::vector<pid_t> process_tree(pid_t root) { return process_trees({root}); }

std::vector<pid_t> process_trees(const std::vector<pid_t>& roots) {
  std::vector<pid_t> tree;
  for (const pid_t root : roots) {
    if (read_stat(root)) tree.push_back(root);
  }
  std::optional<std::multimap<pid_t, pid_t>> all;
  for (std::size_t i = 0; i < tree.size(); ++i) {  // grows while it is walked
    if (!all && kernel_lists_children() && tree.size() <= kFew && has_few_threads(tree[i])) {
      append_listed_children(tree[i], tree);
      continue;
    }
    if (!all) all = all_by_parent();
    const auto [begin, end] = all->equal_range(tree[i]);
    for (auto child = begin; child != end; ++child) tree.push_back(child->second);
  }
  // One whose parent ended meanwhile may have been seen below both.
  std::sort(tree.begin(), tree.end());
  tree.erase(std::unique(tree.begin(), tree.end()), tree.end());
  return tree;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  if (kernel_lists_children() && has_few_threads(parent)) {
    append_listed_children(parent, children);
    return children;
  }
  const auto all = all_by_parent();
  const auto [begin, end] = all.equal_range(parent);
  for (auto child = begin; child != end; ++child) children.push_back(child->second);
  return children;
}

std::vector<pid_t> threads_of(const std::vector<pid_t>& pids) {
  std::vector<pid_t> threads;
  for (const pid_t pid : pids) {
    for (const std::string& name : names_in(tasks_of(pid))) {
      threads.push_back(static_cast<pid_t>(std::stol(name)));
    }
  }
  std::sort(threads.begin(), threads.end());
  return threads;
}

Nanoseconds tree_cpu(const std::vector<pid_t>& pids) {
  Nanoseconds sum{};
  for (const pid_t pid : pids) {
    const auto stat = read_stat(pid);
    clockid_t clock{};
    timespec used{};
    if (!stat || ::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
      continue;  // it ended meanwhile: its parent's children have it once it is waited for
    }
    sum += std::chrono::seconds(used.tv_sec) + Nanoseconds(used.tv_nsec) + stat->children;
  }
  return sum;
}

std::optional<std::uint64_t> anonymous_bytes(const std::vector<pid_t>& pids) {
  return sum_of_bytes(pids, "smaps_rollup", {"Pss_Anon:", "Pss_Shmem:"});
}

std::optional<std::uint64_t> peak_resident_bytes(const std::vector<pid_t>& pids) {
  return sum_of_bytes(pids, "status", {"VmHWM:"});
}

bool any_runnable(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) {
    for (const std::string& name : names_in(tasks_of(pid))) {
      std::ifstream file(tasks_of(pid) + name + "/stat");
      std::string text;
      std::getline(file, text);
      const auto end_of_name = text.rfind(')');
      if (end_of_name != std::string::npos && text.compare(end_of_name, 3, ") R") == 0) return true;
    }
  }
  return false;
}

std::optional<Nanoseconds> waited_for_cpu(pid_t pid) {
  std::optional<Nanoseconds> sum;
  for (const std::string& name : names_in(tasks_of(pid))) {
    std::ifstream file(tasks_of(pid) + name + "/schedstat");
    Nanoseconds::rep ran = 0;
    Nanoseconds::rep waited = 0;
    // A kernel without this accounting shows zeros, of threads that must have run, too.
    if (file >> ran >> waited && ran > 0) sum = sum.value_or(Nanoseconds(0)) + Nanoseconds(waited);
  }
  return sum;
}

}  // namespace muxbench
