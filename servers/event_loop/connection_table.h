// The connections of one worker in a slab: constant-time insert, find and erase, addresses that
// stay, and names (tokens) that are never reused, so that an event for a closed connection finds
// nothing instead of the next owner of its descriptor.
//
// A token is slab index + generation in 60 bits; the upper 4 bits are the model's, to tag what an
// event is about.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace muxbench {

using Token = std::uint64_t;

template <typename Connection>
class ConnectionTable {
 public:
  static constexpr int kTagShift = 60;
  static constexpr Token kTokenMask = (Token{1} << kTagShift) - 1;

  ConnectionTable() = default;
  ConnectionTable(const ConnectionTable&) = delete;
  ~ConnectionTable() {
    each([this](Token token, Connection&) { erase(token); });
  }

  std::size_t size() const noexcept { return size_; }

  template <typename... Args>
  Token insert(Args&&... args) {
    if (free_ == kNone) grow();
    const std::uint32_t index = free_;
    Slot& slot = at(index);
    free_ = slot.next;
    new (&slot.connection) Connection{std::forward<Args>(args)...};
    slot.in_use = true;
    slot.last_active = now_;
    link_newest(index);
    ++size_;
    return token_of(index);
  }

  // nullptr when that connection has been erased.
  Connection* find(Token token) noexcept {
    const auto index = static_cast<std::uint32_t>(token);
    if (index >= chunks_.size() * kChunk) return nullptr;
    Slot& slot = at(index);
    return slot.in_use && token_of(index) == (token & kTokenMask) ? &slot.connection : nullptr;
  }

  // For a list that keeps half a token, its lower 32 bits: of the connection that is there now.
  Token token_at(std::uint32_t index) const noexcept { return token_of(index); }

  void erase(Token token) noexcept {
    const auto index = static_cast<std::uint32_t>(token);
    Slot& slot = at(index);
    unlink(index);
    slot.connection.~Connection();
    slot.in_use = false;
    slot.generation = (slot.generation + 1) & kGenerationMask;
    slot.next = free_;
    free_ = index;
    --size_;
  }

  // visit(token, connection); may erase the connection it is given.
  template <typename Visit>
  void each(Visit visit) {
    for (std::uint32_t index = oldest_; index != kNone;) {
      const std::uint32_t next = at(index).next;
      visit(token_of(index), at(index).connection);
      index = next;
    }
  }

  // Time in this table is in milliseconds of the caller's clock.
  void set_now(std::uint32_t now) noexcept { now_ = now; }

  // The connection was heard of: it becomes the newest.
  void touch(Token token) noexcept {
    const auto index = static_cast<std::uint32_t>(token);
    at(index).last_active = now_;
    if (index == newest_) return;
    unlink(index);
    link_newest(index);
  }

  // How long the least recently active connection has been silent, as of set_now(); 0 when there is
  // none.
  std::uint32_t longest_silence() const noexcept {
    return oldest_ == kNone ? 0 : now_ - at(oldest_).last_active;
  }

  // visit(token) for every connection silent for `limit` or longer; may erase it.
  template <typename Visit>
  void each_silent_for(std::uint32_t limit, Visit visit) {
    for (std::uint32_t index = oldest_; index != kNone && now_ - at(index).last_active >= limit;) {
      const std::uint32_t next = at(index).next;
      visit(token_of(index));
      index = next;
    }
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  static constexpr std::uint32_t kGenerationMask = (1U << (kTagShift - 32)) - 1;
  static constexpr std::size_t kChunk = 256;

  struct Slot {
    Slot() noexcept {}
    ~Slot() {}  // erase() has destroyed the connection
    union {
      Connection connection;
    };
    std::uint32_t previous = kNone;  // towards the least recently active
    std::uint32_t next = kNone;      // towards the newest; in a free slot: the next free one
    std::uint32_t last_active = 0;
    std::uint32_t generation : 28 = 0;
    std::uint32_t in_use : 1 = false;
  };

  Slot& at(std::uint32_t index) noexcept { return chunks_[index / kChunk][index % kChunk]; }
  const Slot& at(std::uint32_t index) const noexcept {
    return chunks_[index / kChunk][index % kChunk];
  }
  Token token_of(std::uint32_t index) const noexcept {
    return (Token{at(index).generation} << 32) | index;
  }

  void grow() {
    const auto first = static_cast<std::uint32_t>(chunks_.size() * kChunk);
    chunks_.push_back(std::make_unique<Slot[]>(kChunk));
    for (std::uint32_t i = 0; i < kChunk; ++i)
      at(first + i).next = i + 1 < kChunk ? first + i + 1 : free_;
    free_ = first;
  }

  void link_newest(std::uint32_t index) noexcept {
    Slot& slot = at(index);
    slot.previous = newest_;
    slot.next = kNone;
    (newest_ == kNone ? oldest_ : at(newest_).next) = index;
    newest_ = index;
  }

  void unlink(std::uint32_t index) noexcept {
    const Slot& slot = at(index);
    (slot.previous == kNone ? oldest_ : at(slot.previous).next) = slot.next;
    (slot.next == kNone ? newest_ : at(slot.next).previous) = slot.previous;
  }

  std::vector<std::unique_ptr<Slot[]>> chunks_;
  std::uint32_t free_ = kNone;
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
  std::uint32_t now_ = 0;
  std::size_t size_ = 0;
};

}  // namespace muxbench
