#include "blocking/converse.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <utility>

#include "net/sys.h"
#include "processes/child_work.h"

namespace muxbench {
namespace {

class RequestTimer {
 public:
  explicit RequestTimer(Nanoseconds limit) noexcept : limit_(limit) {}

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

}  // namespace

void set_io_timeout(int fd, Nanoseconds timeout) noexcept {
  if (timeout.count() == 0) return;
  const auto microseconds = std::chrono::ceil<std::chrono::microseconds>(timeout).count();
  const timeval limit{.tv_sec = microseconds / 1'000'000, .tv_usec = microseconds % 1'000'000};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

void converse(int fd, Session& session, Nanoseconds request_limit) noexcept {
  RequestTimer timer(request_limit);
  while (!session.done()) {
    if (session.awaits_work()) {
      if (!run_child_work()) return;  // too many processes: this client is shed
      session.on_work_done();
    } else if (session.wants_write()) {
      const IoResult sent = sys::send(fd, session.write_buffers());
      if (sent.ok()) {
        session.on_written(sent.count());
      } else if (!sent.interrupted()) {
        return;
      }
    } else if (session.wants_half_close()) {
      ::shutdown(fd, SHUT_WR);
      session.on_half_closed();
    } else {
      const IoResult got = sys::recv(fd, session.lease_read());
      if (got.ok()) {
        session.on_read(got.count());
        if (timer.is_over(session)) return;
      } else if (!got.interrupted()) {
        return;
      }
    }
  }
}

}  // namespace muxbench
