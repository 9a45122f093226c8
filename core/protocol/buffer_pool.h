// Buffers of 16 KiB for the sessions of one worker, handed out and taken back in constant time. Not
// for several threads.
//
// A session leases a buffer while it has bytes to hold and gives it back after, so the pool holds
// as many buffers as there are connections with something pending, not as many as there are
// connections.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace muxbench {

class BufferPool {
 public:
  static constexpr std::size_t kBufferBytes =
      16 * 1024;  // also the largest read that a model asks for

  BufferPool() { spare_.reserve(kSpareBuffers); }

  // For a worker that gives back what another has taken, again and again: its pool would only grow.
  // From here on it takes buffers from the allocator and gives them back to that.
  void keep_no_spare() noexcept { most_spare_ = 0; }

  // nullptr when memory is exhausted.
  std::byte* acquire() noexcept;
  void release(std::byte* buffer) noexcept;

  // How many buffers are out now.
  std::size_t in_use() const noexcept { return in_use_; }

 private:
  // What is kept for the next lease; more than this goes back to the allocator.
  static constexpr std::size_t kSpareBuffers = 64;

  std::vector<std::unique_ptr<std::byte[]>> spare_;
  std::size_t most_spare_ = kSpareBuffers;
  std::size_t in_use_ = 0;
};

}  // namespace muxbench
