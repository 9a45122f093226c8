// --work child in an event loop, which must not wait for a child: the connections whose answers are
// still being worked on, and a descriptor that becomes readable when some child has ended.
#pragma once

#include <sys/types.h>

#include <unordered_map>

#include "base/unique_fd.h"
#include "event_loop/connection_table.h"
#include "runtime/options.h"

namespace muxbench {

class PendingWork {
 public:
  // Without --work child it opens nothing, and descriptor() is -1.
  explicit PendingWork(const Options& options) noexcept;

  int descriptor() const noexcept { return signals_.get(); }

  // Starts a child for the connection. False: too many processes.
  bool start(Token connection);

  // Calls on_done(connection) for each child that has ended since the last call.
  template <typename OnDone>
  void each_done(OnDone on_done) {
    // SIGCHLD is a standard signal, so one may stand for many children. First it is taken, then
    // they are: one that ends in between sends another.
    take_signal();
    for (pid_t ended; (ended = take_ended()) > 0;) {
      const auto child = connection_of_.extract(ended);
      if (child) on_done(child.mapped());
    }
  }

 private:
  void take_signal() noexcept;
  static pid_t take_ended() noexcept;

  UniqueFd signals_;
  std::unordered_map<pid_t, Token> connection_of_;
};

}  // namespace muxbench
