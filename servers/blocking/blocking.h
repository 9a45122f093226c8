// Small things that the models with blocking calls share.
#pragma once

#include <utility>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "runtime/accept_throttle.h"
#include "runtime/model.h"
#include "runtime/stop_signal.h"

namespace muxbench {

// --idle-timeout for blocking calls: recv and send on `fd` fail with EAGAIN after so long. 0: they
// wait for ever.
void set_io_timeout(int fd, Nanoseconds timeout) noexcept;

// That timeout begins anew with every byte. So that a request which dribbles in does not hold its
// connection for ever, it must be whole this long after it began, or by the end of the read that is
// then waited in.
class RequestTimer {
 public:
  explicit RequestTimer(Nanoseconds limit) noexcept : limit_(limit) {}  // 0: for ever

  // Ask after each read.
  bool is_over(const Session& session) noexcept {
    if (limit_.count() == 0) return false;
    const bool was_begun = std::exchange(begun_, session.mid_request());
    if (!begun_) return false;
    const Clock::time_point now = Clock::now();
    if (!was_begun) since_ = now;
    return now - since_ >= limit_;
  }

 private:
  Nanoseconds limit_;
  bool begun_ = false;
  Clock::time_point since_{};
};

// Sleeps until it is worth another look whether accepting still pauses, or until a signal.
void sleep_briefly() noexcept;

// The same for a worker among many, whose pause ends when its turn has come.
void sleep_until(Clock::time_point time) noexcept;

}  // namespace muxbench
