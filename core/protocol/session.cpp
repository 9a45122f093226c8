#include "protocol/session.h"

#include <cstring>
#include <utility>

namespace muxbench {

// An idle connection of a readiness model costs this and a few words of the model's own, 128 bytes
// together.
static_assert(sizeof(Session) <= 88);

namespace {

// A peer that goes on sending after the last answer is cut off here; it had this long to notice.
constexpr std::size_t kLingerUnit = 64;
constexpr std::uint16_t kMostLingerUnits = UINT16_MAX;  // 4 MiB

static_assert(BufferPool::kBufferBytes <= UINT16_MAX, "positions in a buffer are 16 bits wide");

}  // namespace

Session::Session(SessionContext& context) noexcept
    : context_(&context), protocol_(context.protocol) {
  take(std::visit([](auto& protocol) { return protocol.open(); }, protocol_));
}

Session::Session(Session&& other) noexcept
    : context_(other.context_),
      reading_(std::exchange(other.reading_, nullptr)),
      writing_(std::exchange(other.writing_, nullptr)),
      output_(other.output_),
      input_begin_(other.input_begin_),
      input_end_(other.input_end_),
      lingered_(other.lingered_),
      output_first_(other.output_first_),
      output_count_(other.output_count_),
      leased_(other.leased_),
      peer_finished_(other.peer_finished_),
      awaits_work_(other.awaits_work_),
      state_(std::exchange(other.state_, State::done)),
      protocol_(std::move(other.protocol_)) {
  other.output_first_ = other.output_count_ = 0;
  other.awaits_work_ = false;
}

Session::~Session() {
  release(reading_);
  release(writing_);
}

std::span<std::byte> Session::lease_read() noexcept {
  const bool input_waits_for_write = has_output() && input_begin_ < input_end_;
  if (input_waits_for_write || peer_finished_) return {};
  if (state_ != State::open && state_ != State::lingering) return {};
  if (reading_ == nullptr) {
    reading_ = context_->buffers.acquire();
    input_begin_ = input_end_ = 0;
    if (reading_ == nullptr) {
      // With an answer pending there will be another attempt; with none, nothing would ever happen.
      if (!has_output()) state_ = State::done;
      return {};
    }
  }
  leased_ = true;
  return {reading_ + input_end_, BufferPool::kBufferBytes - input_end_};
}

void Session::cancel_read() noexcept {
  leased_ = false;
  compact();
}

void Session::on_read(std::size_t n) noexcept {
  leased_ = false;
  if (n == 0) {
    peer_finished_ = true;
  } else if (state_ == State::lingering) {
    const std::size_t units = lingered_ + (n + kLingerUnit - 1) / kLingerUnit;
    if (units >= kMostLingerUnits) state_ = State::done;
    lingered_ = static_cast<std::uint16_t>(units);
  } else {
    input_end_ = static_cast<std::uint16_t>(input_end_ + n);
    if (!has_output()) advance();
  }
  compact();
  finish_if_over();
}

void Session::on_written(std::size_t n) noexcept {
  while (n > 0) {
    iovec& piece = output_[output_first_];
    if (n < piece.iov_len) {
      piece.iov_base = static_cast<std::byte*>(piece.iov_base) + n;
      piece.iov_len -= n;
      return;
    }
    n -= piece.iov_len;
    ++output_first_;
  }
  if (!has_output()) on_flushed();
}

void Session::on_flushed() noexcept {
  output_first_ = output_count_ = 0;
  release(writing_);
  std::visit([](auto& protocol) { protocol.on_flushed(); }, protocol_);
  if (state_ == State::closing) {
    state_ = State::done;
  } else if (state_ == State::lingering_flush) {
    state_ = State::half_close;
  } else if (state_ == State::open) {
    advance();  // its answer may be the last one, and is still to be sent
  }
  compact();
  finish_if_over();
}

void Session::on_half_closed() noexcept {
  state_ = State::lingering;
  finish_if_over();
}

void Session::advance() noexcept {
  while (state_ == State::open && !has_output() && input_begin_ < input_end_) {
    const std::span<const std::byte> input(reading_ + input_begin_, input_end_ - input_begin_);
    const Reaction reaction = std::visit(
        [&](auto& protocol) -> Reaction {
          if (!protocol.kUsesScratch) return protocol.feed(input, {});
          writing_ = context_->buffers.acquire();
          if (writing_ == nullptr) return {.consumed = input.size(), .after = After::close};
          return protocol.feed(input, {writing_, BufferPool::kBufferBytes});
        },
        protocol_);
    const bool needs_more = reaction.consumed == 0 && reaction.output_count == 0;
    input_begin_ = static_cast<std::uint16_t>(input_begin_ + reaction.consumed);
    take(reaction);
    if (needs_more) return;
  }
}

void Session::take(const Reaction& reaction) noexcept {
  output_ = reaction.output;
  output_first_ = 0;
  output_count_ = reaction.output_count & 3U;  // at most 2
  if (reaction.after == After::close) state_ = has_output() ? State::closing : State::done;
  if (reaction.after == After::linger) {
    state_ = has_output() ? State::lingering_flush : State::half_close;
  }
  if (reaction.after != After::read_on) input_begin_ = input_end_;  // nobody will answer the rest
  if (reaction.answers_request) {
    ++context_->requests;
    awaits_work_ = context_->holds_answers && has_output();
    if (context_->on_request != nullptr) context_->on_request();
  }

  if (!has_output()) {
    release(writing_);
  } else if (input_begin_ == input_end_ && writing_ == nullptr) {
    // The output may point into the input: the buffer changes its role, and a new lease takes a new
    // buffer.
    std::swap(reading_, writing_);
    input_begin_ = input_end_ = 0;
  }
}

void Session::finish_if_over() noexcept {
  if (!peer_finished_ || has_output()) return;
  // Whatever input is left is the beginning of a request whose end will not come.
  if (state_ == State::open || state_ == State::lingering) state_ = State::done;
}

// Gives back an empty buffer, or moves the start of an incomplete request to the front of its
// buffer. Never under a lease: the kernel may be writing there.
void Session::compact() noexcept {
  if (leased_ || reading_ == nullptr) return;
  if (input_begin_ == input_end_) {
    release(reading_);
    input_begin_ = input_end_ = 0;
  } else if (input_begin_ != 0 && !has_output()) {
    std::memmove(reading_, reading_ + input_begin_, input_end_ - input_begin_);
    input_end_ = static_cast<std::uint16_t>(input_end_ - input_begin_);
    input_begin_ = 0;
  }
}

void Session::release(std::byte*& buffer) noexcept {
  if (buffer != nullptr) context_->buffers.release(std::exchange(buffer, nullptr));
}

}  // namespace muxbench
