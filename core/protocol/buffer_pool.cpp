#include "protocol/buffer_pool.h"

#include <new>

namespace muxbench {

std::byte* BufferPool::acquire() noexcept {
  std::byte* buffer = nullptr;
  if (spare_.empty()) {
    buffer = new (std::nothrow) std::byte[kBufferBytes];
  } else {
    buffer = spare_.back().release();
    spare_.pop_back();
  }
  in_use_ += buffer != nullptr ? 1 : 0;
  return buffer;
}

void BufferPool::release(std::byte* buffer) noexcept {
  --in_use_;
  if (spare_.size() < most_spare_) {
    spare_.emplace_back(buffer);  // never allocates: the constructor reserved the room
  } else {
    delete[] buffer;
  }
}

}  // namespace muxbench
