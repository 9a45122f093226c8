#include "client/stream_verifier.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace muxbench::loadgen {

std::uint64_t StreamVerifier::reached() const noexcept {
  return trouble_ ? std::max(position_, trouble_->high_water) : position_;
}

bool StreamVerifier::lost() const noexcept { return trouble_ && trouble_->lost; }

bool StreamVerifier::skipped(std::uint64_t begin, std::uint64_t end) const noexcept {
  return trouble_ && trouble_->gap_begin < std::min(end, trouble_->gap_end) &&
         trouble_->gap_end > begin;
}

bool StreamVerifier::matches(const Pattern& pattern, std::span<const std::byte> bytes) noexcept {
  if (trouble_ || std::memcmp(bytes.data(), pattern.at(cursor_), bytes.size()) != 0) return false;
  position_ += bytes.size();
  cursor_ = pattern.step(cursor_, bytes.size());
  return true;
}

std::size_t StreamVerifier::examine(VerifierContext& context, std::span<const std::byte> bytes,
                                    std::uint64_t asked, std::uint64_t until) {
  std::size_t taken = 0;
  while (taken < bytes.size() && reached() < until && !lost()) {
    if (!trouble_ && position_ < asked) {
      const std::uint64_t open = std::min(until, asked) - position_;
      const auto rest = bytes.subspan(taken, std::min<std::uint64_t>(bytes.size() - taken, open));
      const auto wrong = std::mismatch(rest.begin(), rest.end(), context.pattern.at(cursor_)).first;
      const auto right = static_cast<std::size_t>(wrong - rest.begin());
      position_ += right;
      cursor_ = context.pattern.step(cursor_, right);
      taken += right;
      if (right == rest.size()) continue;
    }
    if (!trouble_) trouble_ = std::make_unique<Trouble>();
    step(context, bytes[taken++], asked);
  }
  return taken;
}

std::uint64_t StreamVerifier::outstanding(std::uint64_t asked) const noexcept {
  return position_ >= trouble_->high_water && asked > position_ ? asked - position_ : 0;
}

void StreamVerifier::step(VerifierContext& context, std::byte byte, std::uint64_t asked) {
  Trouble& trouble = *trouble_;
  if (trouble.count == 0 && position_ < asked && byte == *expected_at(context, position_)) {
    ++position_;
    settle(context);
    return;
  }
  trouble.evidence[trouble.count++] = byte;
  if (position_ >= asked) trouble.unasked = trouble.count;
  resolve(context, asked);
}

void StreamVerifier::resolve(VerifierContext& context, std::uint64_t asked) {
  Trouble& trouble = *trouble_;
  const std::size_t count = trouble.count;
  if (count >= kSure) {
    const std::byte* tail = &trouble.evidence[count - kSure];
    const std::uint64_t tail_position = position_ + count - kSure;
    // What was not asked for replaces nothing.
    if (trouble.unasked == 0 &&
        std::memcmp(tail, expected_at(context, tail_position), kSure) == 0) {
      return accept_in_place(context);
    }
    // Nor is it what is expected.
    if (count >= trouble.unasked + kSure &&
        std::memcmp(tail, expected_at(context, position_), kSure) == 0) {
      report(context, trouble.foreign ? DeviationKind::foreign : DeviationKind::extra,
             count - kSure);
      return move_to(context, position_ + kSure);
    }
    if (trouble.unasked > 0 && count >= trouble.unasked + kSure &&
        std::memcmp(tail, expected_at(context, tail_position - trouble.unasked), kSure) == 0) {
      split_off_unasked(context);
      return accept_in_place(context);
    }
    // The table is searched a few times only: a peer that sends garbage must not buy our time.
    if (count % kSure == 0 && count <= 8 * kSure && !trouble.foreign) {
      const auto offset = context.pattern.find({tail, kSure});
      if (offset && shift(context, *offset, asked)) return;
    }
  }
  const std::uint64_t open = outstanding(asked);
  if (open != 0 && count == trouble.unasked + open) {
    if (trouble.unasked > 0) split_off_unasked(context);
    fill_up(context);
  } else if (count == trouble.evidence.size()) {
    const DeviationKind otherwise =
        trouble.unasked > 0 ? DeviationKind::extra : DeviationKind::corrupt;
    report(context, trouble.foreign ? DeviationKind::foreign : otherwise, count);
    trouble.lost = true;
  }
}

// There is evidence for each byte that is outstanding.
void StreamVerifier::fill_up(VerifierContext& context) {
  if (!repeats_recent_bytes(context) && !resumes_late(context)) accept_in_place(context);
}

// Those that came before anything was asked for were too many, whatever the others are.
void StreamVerifier::split_off_unasked(VerifierContext& context) {
  Trouble& trouble = *trouble_;
  report(context, trouble.foreign ? DeviationKind::foreign : DeviationKind::extra, trouble.unasked);
  std::copy(&trouble.evidence[trouble.unasked], &trouble.evidence[trouble.count],
            trouble.evidence.begin());
  trouble.count -= std::exchange(trouble.unasked, 0);
  trouble.foreign = false;
  trouble.owner.reset();
}

// The last 8 bytes belong at `offset` of the pattern. Returns whether that explains them.
bool StreamVerifier::shift(VerifierContext& context, std::uint32_t offset, std::uint64_t asked) {
  Trouble& trouble = *trouble_;
  const std::uint32_t period = context.pattern.period();
  const std::uint64_t ahead =
      (std::uint64_t{offset} + period - context.pattern.advance(start_, position_)) % period;
  const std::uint64_t back = period - ahead;
  const bool reading_again = position_ < trouble.high_water;

  if (reading_again && position_ + ahead == trouble.high_water) {
    trouble.filling = false;  // A repetition that ends early is still one.
    trouble.gap_end = 0;
    move_to(context, trouble.high_water + kSure);
    return true;
  }
  if (!trouble.filling && back <= position_ && position_ - back >= trouble.gap_begin &&
      position_ - back + kSure <= trouble.gap_end) {
    report(context, DeviationKind::reordered, trouble.gap_end - trouble.gap_begin);
    context.found.back().position = trouble.gap_begin;
    trouble.filling = true;
    trouble.high_water = reached();
    move_to(context, position_ - back + kSure);
    return true;
  }
  if (!reading_again && position_ + ahead + kSure <= asked) {
    report_gap(context);
    trouble.gap_begin = position_;
    trouble.gap_end = position_ + ahead;
    trouble.gap_deadline = asked + kSure;
    move_to(context, trouble.gap_end + kSure);
    return true;
  }
  const bool too_early = position_ >= asked && ahead == trouble.count - kSure;
  if (too_early) return false;  // but of this stream
  const bool own = back <= position_;
  if (!(own && back <= context.recent)) {
    trouble.owner = context.owner_of(offset);
    trouble.foreign = trouble.owner.has_value() || !own;
    if (trouble.foreign) return false;  // Whether they replace bytes or add to them comes out yet.
  }
  report(context, DeviationKind::duplicate, back);
  trouble.high_water = reached();
  move_to(context, position_ - back + kSure);
  return true;
}

// Fewer than 8 bytes, 3 at least, that stood just before: a short message that came twice.
bool StreamVerifier::repeats_recent_bytes(VerifierContext& context) {
  constexpr std::uint64_t kFarthest = 256;  // keeps the chance of an accident below 1 in 60,000
  Trouble& trouble = *trouble_;
  if (trouble.count < 3 || trouble.count >= kSure) return false;
  const std::uint64_t limit = std::min({context.recent, position_, kFarthest});
  for (std::uint64_t back = trouble.count; back <= limit; ++back) {
    const std::byte* past = expected_at(context, position_ - back);
    if (std::memcmp(trouble.evidence.data(), past, trouble.count) != 0) continue;
    report(context, DeviationKind::duplicate, back);
    trouble.high_water = reached();
    move_to(context, position_ - back + trouble.count);
    return true;
  }
  return false;
}

// The evidence ends with 3 to 7 bytes of where the stream stopped: what is before them was added.
bool StreamVerifier::resumes_late(VerifierContext& context) {
  const Trouble& trouble = *trouble_;
  for (std::size_t right = std::min(trouble.count - 1, kSure - 1); right >= 3; --right) {
    const std::byte* tail = &trouble.evidence[trouble.count - right];
    if (std::memcmp(tail, expected_at(context, position_), right) != 0) continue;
    report(context, trouble.foreign ? DeviationKind::foreign : DeviationKind::extra,
           trouble.count - right);
    move_to(context, position_ + right);
    return true;
  }
  return false;
}

// The stream is in step: each run of wrong bytes among the evidence is one corruption.
void StreamVerifier::accept_in_place(VerifierContext& context) {
  Trouble& trouble = *trouble_;
  const std::byte* expected = expected_at(context, position_);
  const std::uint64_t end = position_ + trouble.count;
  if (trouble.foreign) {
    const std::size_t before = trouble.count - std::min(trouble.count, kSure);
    const bool in_step =
        std::memcmp(&trouble.evidence[before], &expected[before], trouble.count - before) == 0;
    report(context, DeviationKind::foreign, in_step ? before : trouble.count);
  } else {
    for (std::size_t i = 0, run; i < trouble.count; i += run + 1) {
      for (run = 0; i + run < trouble.count; ++run) {
        if (trouble.evidence[i + run] == expected[i + run]) break;
      }
      if (run == 0) continue;
      context.found.push_back({.kind = DeviationKind::corrupt,
                               .position = position_ + i,
                               .length = run,
                               .expected = expected[i],
                               .got = trouble.evidence[i]});
    }
  }
  move_to(context, end);
}

void StreamVerifier::finish(VerifierContext& context, std::uint64_t asked) {
  if (!trouble_) return;
  Trouble& trouble = *trouble_;
  if (trouble.unasked > 0 && outstanding(asked) != 0) split_off_unasked(context);
  if (const std::size_t count = trouble.count; count > 0 && !trouble.lost) {
    const std::uint64_t open = outstanding(asked);
    const bool end_of_message =
        count < open &&
        std::memcmp(trouble.evidence.data(), expected_at(context, asked - count), count) == 0;
    if (end_of_message) {
      report(context, DeviationKind::missing, open - count);
    } else if (!repeats_recent_bytes(context)) {
      if (open != 0) {
        accept_in_place(context);
      } else {
        report(context, trouble.foreign ? DeviationKind::foreign : DeviationKind::extra, count);
      }
    }
  }
  if (trouble_) report_gap(context);
  trouble_.reset();
  cursor_ = context.pattern.advance(start_, position_);
}

void StreamVerifier::report(VerifierContext& context, DeviationKind kind, std::uint64_t length) {
  const Trouble& trouble = *trouble_;
  context.found.push_back({.kind = kind,
                           .position = position_,
                           .length = length,
                           .expected = *expected_at(context, position_),
                           .got = trouble.evidence[0],
                           .owner = trouble.owner});
}

void StreamVerifier::report_gap(VerifierContext& context) {
  Trouble& trouble = *trouble_;
  if (trouble.gap_end == 0 || trouble.filling) return;
  context.found.push_back({.kind = DeviationKind::missing,
                           .position = trouble.gap_begin,
                           .length = trouble.gap_end - trouble.gap_begin,
                           .expected = *expected_at(context, trouble.gap_begin),
                           .got = *expected_at(context, trouble.gap_end)});
  trouble.gap_end = 0;
}

void StreamVerifier::move_to(VerifierContext& context, std::uint64_t position) {
  trouble_->count = 0;
  trouble_->unasked = 0;
  trouble_->foreign = false;
  trouble_->owner.reset();
  position_ = position;
  settle(context);
}

// Leaves the states that are over, and with the last of them the slow path.
void StreamVerifier::settle(VerifierContext& context) {
  Trouble& trouble = *trouble_;
  if (trouble.filling && position_ == trouble.gap_end) {
    position_ = trouble.high_water;
    trouble.filling = false;
    trouble.gap_end = 0;
  }
  if (trouble.gap_end != 0 && position_ >= trouble.gap_deadline) report_gap(context);
  if (trouble.gap_end != 0 || position_ < trouble.high_water) return;
  trouble_.reset();
  cursor_ = context.pattern.advance(start_, position_);
}

}  // namespace muxbench::loadgen
