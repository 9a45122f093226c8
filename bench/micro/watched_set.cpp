#include "watched_set.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace muxbench {
namespace {

constexpr int kFirstPartner = 1024;  // FD_SETSIZE: partners begin here

bool open_pair(Pairs kind, int (&ends)[2]) {
  if (kind == Pairs::pipe) return ::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0;
  return ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0;
}

}  // namespace

Result<WatchedSet> WatchedSet::make(Pairs kind, std::size_t count) {
  WatchedSet set;
  for (std::size_t i = 0; i < count; ++i) {
    int ends[2];
    if (!open_pair(kind, ends))
      return fail("cannot open {} pairs: {}", count, describe(last_errno()));
    set.watched_.emplace_back(ends[0]);
    const UniqueFd partner(ends[1]);
    set.partners_.emplace_back(::fcntl(partner.get(), F_DUPFD_CLOEXEC, kFirstPartner));
    if (!set.partners_.back())
      return fail("cannot open {} pairs: {}", count, describe(last_errno()));
  }
  return set;
}

void WatchedSet::fill(std::size_t ready) const {
  for (std::size_t i = 0; i < ready; ++i) {
    const char byte = 'x';
    [[maybe_unused]] const auto n = ::write(partners_[position(i, ready)].get(), &byte, 1);
  }
}

void WatchedSet::drain(std::size_t ready) const {
  for (std::size_t i = 0; i < ready; ++i) {
    char byte;
    [[maybe_unused]] const auto n = ::read(watched_[position(i, ready)].get(), &byte, 1);
  }
}

}  // namespace muxbench
