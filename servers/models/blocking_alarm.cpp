// Blocking, one client at a time, each wait for it bounded by an alarm: what SIGALRM was made for.
// Syscalls per request: 1 setitimer, 1 recv, 1 send.
// Limit: the next client still waits until this one has gone; one alarm per process bounds one
// call, so the idea does not carry over to threads.
#include <signal.h>
#include <sys/time.h>

#include "base/unique_fd.h"
#include "blocking/pauses.h"
#include "net/sys.h"
#include "runtime/accept_throttle.h"
#include "runtime/model.h"
#include "runtime/stop_signal.h"

namespace muxbench {

const ModelInfo kModel{.name = "blocking_alarm",
                       .family = "blocking",
                       .mechanism = "accept, recv and send in turn, interrupted by setitimer",
                       .capabilities = {.concurrent = false}};

namespace {

constexpr Nanoseconds kDefaultBound = std::chrono::seconds(5);

timeval to_timeval(Nanoseconds duration) noexcept {
  const auto microseconds = std::chrono::ceil<std::chrono::microseconds>(duration).count();
  return {.tv_sec = microseconds / 1'000'000, .tv_usec = microseconds % 1'000'000};
}

class Alarm {
 public:
  explicit Alarm(Nanoseconds bound) noexcept : bound_(to_timeval(bound)) {
    struct sigaction action {};
    action.sa_handler = [](int) { rang_ = 1; };  // and no SA_RESTART: its use is the EINTR
    ::sigaction(SIGALRM, &action, nullptr);
  }

  // An alarm that goes off just before the call that it should interrupt would be lost, and the
  // call would block for ever. So it repeats until it is set again.
  void set() noexcept {
    constexpr timeval kAgain{.tv_sec = 0, .tv_usec = 100'000};
    const itimerval timer{.it_interval = kAgain, .it_value = bound_};
    rang_ = 0;
    ::setitimer(ITIMER_REAL, &timer, nullptr);
  }
  void cancel() noexcept {
    const itimerval never{};
    ::setitimer(ITIMER_REAL, &never, nullptr);
  }
  bool rang() const noexcept { return rang_ != 0; }

 private:
  static inline volatile sig_atomic_t rang_ = 0;

  timeval bound_;
};

void converse(int fd, Session& session, Alarm& alarm) {
  bool again = false;  // a call that a signal other than the alarm interrupted: its bound goes on
  while (!session.done()) {
    if (session.wants_write()) {
      // An answer nearly always fits the socket's buffer: the alarm is set only when it does not.
      IoResult sent = sys::send(fd, session.write_buffers(), MSG_DONTWAIT);
      if (sent.would_block()) {
        if (!again) alarm.set();
        sent = sys::send(fd, session.write_buffers());
      }
      if (sent.ok()) {
        session.on_written(sent.count());
      } else if (!sent.interrupted() || alarm.rang()) {
        return;
      }
      again = !sent.ok();
    } else if (session.wants_half_close()) {
      ::shutdown(fd, SHUT_WR);
      session.on_half_closed();
    } else {
      // The parts of one request share one alarm, or a byte now and then would put it off for ever.
      if (!again && !session.mid_request()) alarm.set();
      const IoResult got = sys::recv(fd, session.lease_read());
      if (got.ok()) {
        session.on_read(got.count());
      } else if (!got.interrupted() || alarm.rang()) {
        return;
      }
      again = !got.ok();
    }
  }
}

}  // namespace

Result<> serve(ServerContext& server) {
  const Nanoseconds asked = server.options.idle_timeout;
  Alarm alarm(asked.count() != 0 ? asked : kDefaultBound);
  SessionContext sessions = server.new_session_context();
  AcceptThrottle throttle(server.options.max_connections);
  while (true) {
    const IoResult accepted = sys::accept(server.listener);
    if (!accepted.ok()) {
      const AcceptAdvice advice = throttle.on_error(accepted.error());
      if (advice == AcceptAdvice::stop) return {};
      if (advice == AcceptAdvice::pause) sleep_briefly();
      continue;
    }
    count(server.counters().accepted);
    const UniqueFd connection(accepted.fd());
    stop_signal::also_ends_input_of(connection.get());
    {
      Session session(sessions);
      converse(connection.get(), session, alarm);
    }
    alarm.cancel();
    server.counters().requests = sessions.requests;
    stop_signal::also_ends_input_of(-1);
  }
}

}  // namespace muxbench
