// Sending and expecting bytes on a connection, with a sentence that says what came instead. Sends
// and receives at once, so a server whose buffers are small cannot hold a check up.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "net/address.h"

namespace muxbench {

class CheckClient {
 public:
  static constexpr std::chrono::seconds kPatience{10};  // of a machine busy with other work, too

  // `patience` bounds the wait for each answer.
  static Result<CheckClient> connect(const Address& address,
                                     std::chrono::seconds patience = kPatience);

  // Sends all of `out` while it reads `expected.size()` bytes, which must equal `expected`.
  Result<> exchange(std::string_view out, std::string_view expected);
  // One byte per send(2).
  Result<> send_bytewise(std::string_view out);
  Result<> expect(std::string_view expected) { return exchange({}, expected); }
  Result<> finish_sending();  // a half-close
  Result<> expect_end();      // the peer has closed, and sent nothing more
  // Reads up to and including `end`, at most `most` bytes.
  Result<std::string> read_through(std::string_view end, std::size_t most);

 private:
  CheckClient(UniqueFd fd, std::chrono::seconds patience)
      : fd_(std::move(fd)), patience_(patience) {}
  Result<short> wait_for(short events) const;
  Result<std::size_t> receive(char* into, std::size_t most);

  UniqueFd fd_;
  std::chrono::seconds patience_;
};

// `size` bytes in a pattern that differs by seed and has no short period.
std::string pattern(std::size_t size, std::uint32_t seed);

}  // namespace muxbench
