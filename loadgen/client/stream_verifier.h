// Checks one connection's byte stream against the pattern, and says what is wrong with it.
//
// The fast path is one memcmp. On a mismatch the bytes are gathered as evidence until they fit one
// explanation, so the finding does not depend on how the stream was cut into reads:
//   corrupt    wrong bytes in place; 8 right ones follow in place (or the message is full)
//   missing    8 bytes that belong further on; the gap stays open a little, for they may come late
//   reordered  the bytes of an open gap, late
//   duplicate  8 bytes of this stream's own past; it is read again from there
//   foreign    8 bytes that belong to another stream
//   extra      bytes of no stream, after which 8 right ones follow
// Bytes that come before they are asked for are extra (or duplicate, or foreign), even if they are
// those that come next.
// Afterwards the stream goes on where it resumed. It is `lost` when 1,024 bytes fit nothing.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "client/pattern.h"

namespace muxbench::loadgen {

enum class DeviationKind : std::uint8_t {
  corrupt,
  missing,
  reordered,
  duplicate,
  foreign,
  extra,
};

struct Deviation {
  DeviationKind kind{};
  std::uint64_t position = 0;  // of the stream: of the first, or where they were added
  std::uint64_t length = 0;    // bytes concerned; for a duplicate: how far back it starts
  std::byte expected{};        // at that position
  std::byte got{};
  std::optional<std::uint32_t> owner;  // foreign: the connection they belong to, when known
};

// What all verifiers of a thread share.
struct VerifierContext {
  const Pattern& pattern;
  std::uint64_t recent;  // bytes from less far back than this are a stream's own without question
  // Which stream has bytes at this offset of the pattern on their way or just received?
  std::function<std::optional<std::uint32_t>(std::uint32_t offset)> owner_of;
  std::vector<Deviation> found{};  // appended to; the caller empties it
};

class StreamVerifier {
 public:
  StreamVerifier() = default;
  explicit StreamVerifier(std::uint32_t start) noexcept : start_(start), cursor_(start) {}

  // Every byte before this position is dealt with: verified, or reported.
  std::uint64_t reached() const noexcept;
  std::uint32_t start() const noexcept { return start_; }
  std::uint32_t cursor() const noexcept {
    return cursor_;
  }  // offset of reached(), when !troubled()
  bool troubled() const noexcept { return trouble_ != nullptr; }
  bool lost() const noexcept;
  // Whether bytes of this part of the stream were left out so far; they may still come late.
  bool skipped(std::uint64_t begin, std::uint64_t end) const noexcept;

  // The fast path: true when all of `bytes` are what comes next. They must not exceed a slice.
  bool matches(const Pattern& pattern, std::span<const std::byte> bytes) noexcept;

  // The slow path: takes bytes up to stream position `until`, and returns how many it took. Bytes
  // before position `asked` have been asked for.
  std::size_t examine(VerifierContext& context, std::span<const std::byte> bytes,
                      std::uint64_t asked, std::uint64_t until);

  // No more bytes will come: whatever is still in doubt is decided.
  void finish(VerifierContext& context, std::uint64_t asked);

 private:
  static constexpr std::size_t kSure = 8;  // so many matching bytes are no accident

  struct Trouble {
    std::uint64_t high_water = 0;  // while a duplicate is read again: where new bytes begin
    std::uint64_t gap_begin = 0;   // bytes that were skipped
    std::uint64_t gap_end = 0;     // 0: no gap
    std::uint64_t gap_deadline = 0;
    bool filling = false;  // the gap's bytes are coming now
    bool lost = false;
    bool foreign = false;
    std::optional<std::uint32_t> owner;
    std::size_t count = 0;
    std::size_t unasked = 0;  // of the evidence: came first, when nothing was asked for
    std::array<std::byte, 1024> evidence;  // got instead of the bytes from position_ on
  };

  const std::byte* expected_at(const VerifierContext& context, std::uint64_t position) const {
    return context.pattern.at(context.pattern.advance(start_, position));
  }
  std::uint64_t outstanding(std::uint64_t asked) const noexcept;
  void step(VerifierContext& context, std::byte byte, std::uint64_t asked);
  void resolve(VerifierContext& context, std::uint64_t asked);
  bool shift(VerifierContext& context, std::uint32_t offset, std::uint64_t asked);
  void fill_up(VerifierContext& context);
  void split_off_unasked(VerifierContext& context);
  bool repeats_recent_bytes(VerifierContext& context);
  bool resumes_late(VerifierContext& context);
  void accept_in_place(VerifierContext& context);
  void report(VerifierContext& context, DeviationKind kind, std::uint64_t length);
  void report_gap(VerifierContext& context);
  void move_to(VerifierContext& context, std::uint64_t position);
  void settle(VerifierContext& context);

  std::uint32_t start_ = 0;
  std::uint32_t cursor_ = 0;
  std::uint64_t position_ = 0;
  std::unique_ptr<Trouble> trouble_;  // only while something is wrong: a record stays small
};

}  // namespace muxbench::loadgen
