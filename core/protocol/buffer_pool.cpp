#include "protocol/buffer_pool.h"

#include <new>

namespace muxbench {

std::byte* BufferPool::acquire() noexcept {
  if (spare_.empty()) return new (std::nothrow) std::byte[kBufferBytes];
  std::byte* const buffer = spare_.back().release();
  spare_.pop_back();
  return buffer;
}

void BufferPool::release(std::byte* buffer) noexcept {
  if (spare_.size() < kSpareBuffers) {
    spare_.emplace_back(buffer);  // never allocates: the constructor reserved the room
  } else {
    delete[] buffer;
  }
}

}  // namespace muxbench
