#include "watched_set.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

namespace muxbench {
namespace {

std::optional<WatchedSet> borrowed;

constexpr int kFirstPartner = 1024;  // FD_SETSIZE: partners begin here

bool open_pair(Pairs kind, int (&ends)[2]) {
  if (kind == Pairs::pipe) return ::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0;
  return ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0;
}

}  // namespace

Result<> WatchedSet::resize(std::size_t count) {
  while (watched_.size() < count) {
    int ends[2];
    if (!open_pair(kind_, ends)) {
      return make_error("cannot open {} pairs: {}", count, describe(last_errno()));
    }
    watched_.emplace_back(ends[0]);
    const UniqueFd partner(ends[1]);
    partners_.emplace_back(::fcntl(partner.get(), F_DUPFD_CLOEXEC, kFirstPartner));
    if (!partners_.back()) {
      return make_error("cannot open {} pairs: {}", count, describe(last_errno()));
    }
  }
  count_ = count;
  return {};
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

Result<const WatchedSet*> borrow_set(Pairs kind, std::size_t count) {
  if (!borrowed || borrowed->kind() != kind) borrowed.emplace(kind);
  if (const auto good = borrowed->resize(count); !good) {
    borrowed.reset();
    return good.error();
  }
  return &*borrowed;
}

void close_borrowed_set() { borrowed.reset(); }

}  // namespace muxbench
