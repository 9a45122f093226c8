// When a thread begins requests, and which of them count: the measured window as this thread sees it.
#pragma once

#include <utility>

#include "engine/control.h"

namespace muxbench::loadgen {

class Window {
 public:
  // Of a turn whose load starts at `start`. `end`: the latest that is known of its end.
  void start(const Turn& turn, Instant start, bool open_loop, Instant end) noexcept {
    slice_ = turn.slice;
    whole_batches_ = turn.is_slice() && !open_loop;
    due_ = start + turn.warmup;
    begin_ = turn.is_slice() ? Control::kNever : due_;
    end_ = counted_until_ = Control::kNever;
    follow(end);
  }
  // The main thread or another one may have ended the window early.
  void follow(Instant end) noexcept {
    end_ = std::min(end_, end);
    if (!whole_batches_) counted_until_ = end_;
  }

  // Between two rounds of the loop. A slice's window begins at this moment.
  void open(Instant moment, Instant end) noexcept {
    open_ = true;
    due_ = Control::kNever;
    if (!is_slice()) return;
    begin_ = moment;
    end_ = begin_ + slice_;
    follow(end);
  }
  void close(Instant moment) noexcept {
    due_ = Control::kNever;
    if (std::exchange(open_, false) && whole_batches_) counted_until_ = moment;
  }
  // What a stopped turn left in flight no longer counts.
  void finish() noexcept { begin_ = Control::kNever; }

  bool is_slice() const noexcept { return slice_.count() > 0; }
  bool is_open() const noexcept { return open_; }
  Instant due() const noexcept { return due_; }      // when it is to be opened
  Instant begin() const noexcept { return begin_; }  // from then on requests count
  Instant end() const noexcept { return end_; }      // from then on none is begun
  bool counts(Instant moment) const noexcept { return moment >= begin_ && moment < counted_until_; }

 private:
  bool open_ = false;
  bool whole_batches_ = false;  // a closed loop's slice
  Nanoseconds slice_{};
  Instant due_ = Control::kNever;
  Instant begin_ = Control::kNever;
  Instant counted_until_ = Control::kNever;
  Instant end_ = Control::kNever;
};

}  // namespace muxbench::loadgen
