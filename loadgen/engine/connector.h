// Opens connections without blocking. To a target in 127.0.0.0/8 they start from many source
// addresses of that network: connecting slows down once half of a source's ephemeral ports are
// taken, and ends at 28,000.
#pragma once

#include "base/unique_fd.h"
#include "client/errors.h"
#include "net/address.h"

namespace muxbench::loadgen {

class Connector {
 public:
  Connector(const Address& target, unsigned thread, unsigned threads) noexcept;

  struct Attempt {
    UniqueFd fd;               // empty when the attempt failed
    Errno error{};             // why it failed
    bool in_progress = false;  // wait until the socket is writable
  };
  Attempt start() noexcept;

 private:
  bool bind_source(int fd) const noexcept;
  Attempt try_once() noexcept;

  const Address& target_;
  bool spread_;  // choose sources in 127.0.0.0/8
  unsigned threads_;
  unsigned source_;      // this thread's: thread, thread + threads, ...
  unsigned opened_ = 0;  // from this source
};

// What a failed attempt is counted as, and the sentence with its remedy.
ErrorKind kind_of_failure(Errno error) noexcept;
std::string explain_failure(Errno error, const Address& target);

// Closes with a reset, so that neither side keeps the port in TIME_WAIT.
void close_with_reset(UniqueFd& fd) noexcept;

}  // namespace muxbench::loadgen
