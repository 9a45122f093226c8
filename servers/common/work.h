// --work: what each request costs before it is answered, to see when the model stops mattering.
//
// spin:20us polls the clock until 20 us of wall-clock time have passed: as much processor time, or
// less where the server loses its CPU meanwhile. child is a process (find over --root, its output
// thrown away): the kind of work that a blocking model simply waits for, and an event loop must
// not. The session holds the answer back until the model says that the work is done. A child never
// outlives the server that started it.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "common/connection_table.h"
#include "common/model.h"

namespace muxbench {

// The hook for SessionContext::on_request; nullptr when there is nothing to do. Every worker may
// call it, with the same duration.
auto make_request_hook(Nanoseconds spin) noexcept -> void (*)() noexcept;

// --work child: opens the folder over which the work goes, so that root may name one that only root
// can get to; and, for the user that serves then, whether it can be read.
Result<> open_child_work(const Options& options);
Result<> check_child_work(const Options& options);

// Starts the child and waits until it ends. False: too many processes, so the answer cannot be
// given.
bool run_child_work() noexcept;

// The children of one event loop. Nothing here waits: descriptor() becomes readable when some have
// ended.
class ChildWork {
 public:
  // Without --work child it opens nothing, and descriptor() is -1.
  explicit ChildWork(const Options& options) noexcept;

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
