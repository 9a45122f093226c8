// What other threads hand to an event loop: a list, and an eventfd by which the loop learns of it.
#pragma once

#include <sys/eventfd.h>

#include <mutex>
#include <utility>
#include <vector>

#include "base/unique_fd.h"

namespace muxbench {

template <typename Item>
class Mailbox {
 public:
  // To be watched for EPOLLIN | EPOLLET: it is never read, so each write is an event of its own. -1:
  // there was no descriptor for it, and nothing may be put in.
  int descriptor() const noexcept { return event_.get(); }

  // By any thread. The loop is woken for the first item only: it takes them all.
  void put(Item item) {
    bool is_first;
    {
      const std::lock_guard lock(mutex_);
      is_first = items_.empty();
      items_.push_back(std::move(item));
    }
    if (is_first) wake();
  }

  // By the loop, when the descriptor is ready: `items` becomes what was put in since the last time.
  void take(std::vector<Item>& items) {
    items.clear();
    const std::lock_guard lock(mutex_);
    std::swap(items, items_);
  }

 private:
  void wake() noexcept {
    while (::eventfd_write(event_.get(), 1) != 0) {  // a signal came first
    }
  }

  UniqueFd event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::mutex mutex_;  // guards items_
  std::vector<Item> items_;
};

}  // namespace muxbench
