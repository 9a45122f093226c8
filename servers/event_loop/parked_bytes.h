// Received bytes for which a session has no room yet, in pieces of fixed size: nothing is copied as
// they grow in number, and nothing is held when there are none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "protocol/session.h"

namespace muxbench {

class ParkedBytes {
 public:
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

  // Copies into the session what it has room for, and parks the rest.
  void pass_on(Session& session, std::span<const std::byte> bytes) {
    if (empty()) bytes = bytes.subspan(feed(session, bytes));
    put(bytes);
  }

  // Copies into the session what it has room for of what is parked.
  void unpark(Session& session) {
    while (!empty()) {
      const std::size_t taken = feed(session, front());
      if (taken == 0) return;
      take(taken);
    }
  }

 private:
  static constexpr std::size_t kPieceBytes = 16 * 1024;

  static std::size_t feed(Session& session, std::span<const std::byte> bytes) {
    std::size_t taken = 0;
    while (taken < bytes.size()) {
      const std::span<std::byte> lease = session.lease_read();
      if (lease.empty()) break;
      const std::size_t count = std::min(lease.size(), bytes.size() - taken);
      std::memcpy(lease.data(), bytes.data() + taken, count);
      session.on_read(count);
      taken += count;
    }
    return taken;
  }

  void put(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const std::size_t used = (taken_ + size_) % kPieceBytes;
      if (taken_ + size_ == pieces_.size() * kPieceBytes) {
        pieces_.emplace_back(new std::byte[kPieceBytes]);
      }
      const std::size_t count = std::min(bytes.size(), kPieceBytes - used);
      std::memcpy(pieces_.back().get() + used, bytes.data(), count);
      size_ += count;
      bytes = bytes.subspan(count);
    }
  }

  // The oldest of them, as many as lie together.
  std::span<const std::byte> front() const noexcept {
    if (empty()) return {};
    return {pieces_.front().get() + taken_, std::min(size_, kPieceBytes - taken_)};
  }

  // Forgets the first n of front().
  void take(std::size_t n) noexcept {
    taken_ += n;
    size_ -= n;
    if (size_ == 0) {
      pieces_.clear();
      taken_ = 0;
    } else if (taken_ == kPieceBytes) {
      pieces_.erase(pieces_.begin());
      taken_ = 0;
    }
  }

  std::vector<std::unique_ptr<std::byte[]>> pieces_;
  std::size_t taken_ = 0;  // of the first piece
  std::size_t size_ = 0;
};

}  // namespace muxbench
