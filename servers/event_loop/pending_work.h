// --work child in an event loop, which must not wait for a child: the connections whose answers are
// still being worked on, and a descriptor that becomes readable when some child has ended.
#pragma once

#include <sys/types.h>

#include <unordered_map>

#include "base/unique_fd.h"
#include "event_loop/connection_set.h"
#include "runtime/options.h"

namespace muxbench {

class PendingWork {
 public:
  // Without --work child it opens nothing, and descriptor() is -1.
  explicit PendingWork(const Options& options) noexcept;

  int descriptor() const noexcept { return signals_.get(); }

  // Starts a child where the session waits for one. False: too many processes, so the answer cannot
  // be given.
  bool start_if_due(Token token, const Session& session) {
    return !session.awaits_work() || start(token);
  }

  // on_done(token, connection) for each whose child has ended since the last call: its answer can be
  // sent now.
  template <typename Connection, typename OnDone>
  void each_done(ConnectionSet<Connection>& connections, OnDone on_done) {
    // SIGCHLD is a standard signal, so one may stand for many children. First it is taken, then
    // they are: one that ends in between sends another.
    take_signal();
    for (pid_t ended; (ended = take_ended()) > 0;) {
      const auto child = token_of_.extract(ended);
      Connection* const connection = child ? connections.find(child.mapped()) : nullptr;
      if (connection == nullptr) continue;  // closed meanwhile
      connection->session.on_work_done();
      connections.touch(child.mapped());
      on_done(child.mapped(), *connection);
    }
  }

 private:
  bool start(Token token);
  void take_signal() noexcept;
  static pid_t take_ended() noexcept;

  UniqueFd signals_;
  std::unordered_map<pid_t, Token> token_of_;
};

}  // namespace muxbench
