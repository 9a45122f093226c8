// The listener of every yardstick: 127.0.0.1:PORT from the command line, TCP_NODELAY as the models
// have it (accepted sockets inherit it).
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace muxbench::yardstick {

inline int listen_or_exit(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "Usage: %s PORT\n", argv[0]);
    std::exit(2);
  }
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto port = static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10));
  const sockaddr_in address{.sin_family = AF_INET,
                            .sin_port = htons(port),
                            .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 4096) != 0) {
    std::perror("cannot listen");
    std::exit(1);
  }
  return listener;
}

}  // namespace muxbench::yardstick
