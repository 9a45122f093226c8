// A queue of fixed capacity that never allocates after it is made.
#pragma once

#include <cstddef>
#include <vector>

namespace muxbench::loadgen {

template <typename T>
class Ring {
 public:
  explicit Ring(std::size_t capacity) : items_(capacity) {}

  bool empty() const noexcept { return size_ == 0; }
  // At most `capacity` items at a time.
  void push(T item) noexcept {
    const std::size_t at = first_ + size_++;
    items_[at < items_.size() ? at : at - items_.size()] = item;
  }
  T pop() noexcept {
    const T item = items_[first_];
    if (++first_ == items_.size()) first_ = 0;
    --size_;
    return item;
  }

 private:
  std::vector<T> items_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace muxbench::loadgen
