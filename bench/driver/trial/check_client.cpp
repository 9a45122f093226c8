#include "trial/check_client.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "net/socket.h"
#include "system/interrupt.h"

namespace muxbench {

// Waits for the events that it tells.
Result<short> CheckClient::wait_for(short events) const {
  const auto deadline = Clock::now() + patience_;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    std::array<pollfd, 2> ready{pollfd{fd_.get(), events, 0}, pollfd{interrupt_fd(), POLLIN, 0}};
    const int count = ::poll(ready.data(), ready.size(), static_cast<int>(std::max(left, 0L)));
    if (interrupted()) return make_error("interrupted");
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return make_error("no answer within {} s", patience_.count());
    return ready[0].revents;
  }
}

Result<CheckClient> CheckClient::connect(const Address& address, std::chrono::seconds patience) {
  auto fd = connect_to(address, patience);
  if (!fd) return fd.error();
  set_nonblocking(fd->get(), true);
  return CheckClient(std::move(*fd), patience);
}

Result<std::size_t> CheckClient::receive(char* into, std::size_t most) {
  while (true) {
    const ssize_t got = ::recv(fd_.get(), into, most, 0);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return make_error("the connection broke: {}", describe(last_errno()));
    if (const auto ready = wait_for(POLLIN); !ready) return ready.error();
  }
}

Result<> CheckClient::exchange(std::string_view out, std::string_view expected) {
  std::array<char, 65536> chunk{};
  std::size_t received = 0;
  while (!out.empty() || received < expected.size()) {
    const auto events =
        static_cast<short>((out.empty() ? 0 : POLLOUT) | (received < expected.size() ? POLLIN : 0));
    const auto ready = wait_for(events);
    if (!ready) {
      if (received == 0 || interrupted()) return ready.error();
      return make_error("{} of {} bytes came back, then nothing for {} s", received,
                        expected.size(), patience_.count());
    }
    if ((*ready & POLLOUT) != 0 && !out.empty()) {
      const ssize_t sent = ::send(fd_.get(), out.data(), out.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        return make_error("sending failed: {}", describe(last_errno()));
      }
      out.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
    }
    if ((*ready & ~POLLOUT) == 0 || received == expected.size()) continue;
    const auto got = receive(chunk.data(), std::min(chunk.size(), expected.size() - received));
    if (!got) return got.error();
    if (*got == 0) {
      return make_error("{} of {} bytes came back, then the server closed", received,
                        expected.size());
    }
    const auto wanted = expected.substr(received, *got);
    const auto [wrong, same] = std::mismatch(wanted.begin(), wanted.end(), chunk.begin());
    if (wrong != wanted.end()) {
      return make_error("byte {} of {} came back as 0x{:02x}, expected 0x{:02x}",
                        received + static_cast<std::size_t>(wrong - wanted.begin()),
                        expected.size(), static_cast<unsigned char>(*same),
                        static_cast<unsigned char>(*wrong));
    }
    received += *got;
  }
  return {};
}

Result<> CheckClient::send_bytewise(std::string_view out) {
  for (const char& byte : out) {
    if (auto sent = exchange({&byte, 1}, {}); !sent) return sent;
  }
  return {};
}

Result<> CheckClient::finish_sending() {
  if (::shutdown(fd_.get(), SHUT_WR) != 0) {
    return make_error("half-close failed: {}", describe(last_errno()));
  }
  return {};
}

Result<> CheckClient::expect_end() {
  std::array<char, 256> chunk{};
  const auto got = receive(chunk.data(), chunk.size());
  if (!got) return make_error("expected the end of the stream: {}", got.error().message);
  if (*got != 0) return make_error("{} bytes too many came back", *got);
  return {};
}

Result<std::string> CheckClient::read_through(std::string_view end, std::size_t most) {
  std::string text;
  while (!text.ends_with(end)) {
    char byte = 0;
    const auto got = receive(&byte, 1);
    if (!got) return got.error();
    if (*got == 0) return make_error("the server closed after {} bytes", text.size());
    text += byte;
    if (text.size() > most) return make_error("no end of the header within {} bytes", most);
  }
  return text;
}

std::string pattern(std::size_t size, std::uint32_t seed) {
  std::string bytes(size, '\0');
  std::uint32_t state = seed * 2654435761U + 1;
  for (char& byte : bytes) {
    state = state * 1664525U + 1013904223U;  // Numerical Recipes' generator: enough to tell bytes
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace muxbench
