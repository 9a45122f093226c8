// What can go wrong with a request or a connection, counted by kind with the first example of each.
// docs/loadgen.md ("What counts as an error") defines what counts once and as what.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace muxbench::loadgen {

enum class ErrorKind : std::uint8_t {
  corrupt,            // a run of bytes that differ from those expected in their place
  missing,            // bytes left out
  extra,              // bytes that nobody asked for, or that came before
  closed,             // the peer closed the connection, and had not announced that
  reset,              // the peer, or the network, reset it
  refused,            // nobody listens
  timeout,            // no complete response in time, or the peer does not close
  unexpected_status,  // HTTP: a status other than 200
  protocol,           // a response that breaks the protocol's grammar
  connect,            // a connection that could not be opened for another reason
};

inline constexpr std::array<std::string_view, 10> kErrorKindNames{
    "corrupt", "missing",           "extra",    "closed", "reset", "refused",
    "timeout", "unexpected_status", "protocol", "connect"};

class ErrorLog {
 public:
  // The first example of a kind is kept as a sentence. `describe` is a string, or a function that
  // makes one and is called only when it is needed, so a flood of errors formats nothing.
  template <typename Describe>
  void add(ErrorKind kind, Describe&& describe) {
    Entry& entry = entries_[static_cast<std::size_t>(kind)];
    if (entry.count++ != 0) return;
    if constexpr (std::is_invocable_v<Describe>) {
      entry.first = describe();
    } else {
      entry.first = std::forward<Describe>(describe);
    }
  }

  // So many more of a kind, of which `first` was the first.
  void add(ErrorKind kind, std::uint64_t count, std::string first);

  // `prefix` stands before the first examples of `other`.
  void merge(const ErrorLog& other, std::string_view prefix = {});

  std::uint64_t total() const noexcept;
  std::uint64_t count(ErrorKind kind) const noexcept {
    return entries_[static_cast<std::size_t>(kind)].count;
  }
  const std::string& first(ErrorKind kind) const noexcept {
    return entries_[static_cast<std::size_t>(kind)].first;
  }

 private:
  struct Entry {
    std::uint64_t count = 0;
    std::string first;
  };
  std::array<Entry, kErrorKindNames.size()> entries_;
};

}  // namespace muxbench::loadgen
