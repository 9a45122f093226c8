// A stream socket's address: IPv4, IPv6 or AF_UNIX, with the text form that our command lines use.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace muxbench {

class Address {
 public:
  // "127.0.0.1:80", "[::1]:80" or "unix:/run/x.sock". Port 0 lets the kernel pick.
  static Result<Address> parse(std::string_view text);
  // The same, and host names too ("localhost:80"), through getaddrinfo(3).
  static Result<Address> resolve(std::string_view text);
  // getsockname(2): the address that a bound socket really has.
  static Result<Address> of_socket(int fd);

  int family() const noexcept { return storage_.any.sa_family; }
  bool is_unix() const noexcept { return family() == AF_UNIX; }
  bool is_loopback() const noexcept;       // 127.0.0.0/8, ::1 or AF_UNIX: never leaves this machine
  std::string_view path() const noexcept;  // AF_UNIX only
  std::uint16_t port() const noexcept;     // not AF_UNIX

  const sockaddr* data() const noexcept { return &storage_.any; }
  socklen_t size() const noexcept { return size_; }
  std::string to_string() const;

 private:
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un local;
  } storage_{};
  socklen_t size_ = 0;
};

}  // namespace muxbench
