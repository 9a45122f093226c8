#include "client/errors.h"

namespace muxbench::loadgen {

void ErrorLog::add(ErrorKind kind, std::uint64_t count, std::string first) {
  Entry& entry = entries_[static_cast<std::size_t>(kind)];
  if (entry.count == 0) entry.first = std::move(first);
  entry.count += count;
}

void ErrorLog::merge(const ErrorLog& other, std::string_view prefix) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& more = other.entries_[i];
    if (more.count == 0) continue;
    add(static_cast<ErrorKind>(i), more.count, std::string(prefix) + more.first);
  }
}

std::uint64_t ErrorLog::total() const noexcept {
  std::uint64_t sum = 0;
  for (const Entry& entry : entries_) sum += entry.count;
  return sum;
}

}  // namespace muxbench::loadgen
