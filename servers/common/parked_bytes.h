// Bytes that came before there was room for them, in pieces of fixed size: nothing is copied as
// they grow in number, and nothing is held when there are none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace muxbench {

class ParkedBytes {
 public:
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

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

 private:
  static constexpr std::size_t kPieceBytes = 16 * 1024;

  std::vector<std::unique_ptr<std::byte[]>> pieces_;
  std::size_t taken_ = 0;  // of the first piece
  std::size_t size_ = 0;
};

}  // namespace muxbench
