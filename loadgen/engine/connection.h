// What the load loop keeps of its connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/unique_fd.h"
#include "engine/arrivals.h"
#include "engine/share.h"
#include "options/options.h"

namespace muxbench::loadgen {

inline constexpr std::size_t kReceiveBufferBytes = 64 * 1024;  // read at a time

enum class Status : std::uint8_t { closed, connecting, open, closing };

struct Connection {
  Instant latency_start{};  // what the latency of the oldest request in flight counts from
  Instant waiting_since{};  // since when the peer owes something; connecting: since when
  UniqueFd fd;
  std::uint32_t number = 0;
  std::uint32_t incarnation = 0;  // how often it was opened
  std::uint32_t requests = 0;     // succeeded in the window
  std::uint16_t in_flight = 0;    // requests
  std::uint16_t ticketed = 0;     // ... of them, the youngest, that count towards --requests
  std::uint16_t oldest = 0;       // pipelined: where the send times of those in flight begin
  Status status = Status::closed;
  Role role = Role::active;
  std::uint8_t failures = 0;  // in a row
  bool send_blocked = false;  // the socket's send buffer is full
  bool answered = false;      // the first byte has come
  bool listed = false;        // open loop: among the free ones
  // Of a stalled client:
  bool begun = false;  // its first message
  bool half_sent = false;

  bool usable() const noexcept { return status >= Status::open; }
};

// What a read or a write has come to for its connection.
enum class Ending : std::uint8_t {
  none,       // it goes on
  over,       // in good order: its request is answered, or the server has closed as it should
  announced,  // the server closes after this response, as it has said
  lost,       // why was reported
};

// With the protocol's part.
template <typename Client>
struct ConnectionOf : Connection {
  typename Client::State protocol{};
};

// Every connection of a loop over `Client` is a ConnectionOf<Client>.
template <typename Client>
typename Client::State& protocol_of(Connection& connection) noexcept {
  return static_cast<ConnectionOf<Client>&>(connection).protocol;
}

// All connections of a thread: the active ones, then the idle and stalled ones.
template <typename Client>
class ConnectionTable {
 public:
  using Entry = ConnectionOf<Client>;
  static_assert(sizeof(Entry) <= 120, "128 bytes per connection are a promise");

  ConnectionTable(const Options& options, const Share& share)
      : active_(share.active), entries_(std::size_t{share.active} + share.background) {
    for (std::uint32_t i = 0; i < entries_.size(); ++i) {
      const bool active = i < share.active;
      const std::uint32_t number =
          active ? share.first_active + i : share.first_background + (i - share.active);
      entries_[i].number = options.first_number + number;
      entries_[i].role = active ? Role::active : options.background_role(number);
    }
  }

  std::size_t size() const noexcept { return entries_.size(); }
  Entry& operator[](std::size_t index) noexcept { return entries_[index]; }
  std::span<Entry> all() noexcept { return entries_; }
  std::span<Entry> active() noexcept { return all().first(active_); }
  std::span<const Entry> active() const noexcept { return std::span(entries_).first(active_); }

 private:
  std::uint32_t active_;
  std::vector<Entry> entries_;
};

}  // namespace muxbench::loadgen
