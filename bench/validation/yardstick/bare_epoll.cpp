// The least that can be called an epoll echo server: no protocol, no session, no short writes, no
// limits. What it reaches is what a model's structure may cost against.
//   bare_epoll PORT
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "listener.h"

int main(int argc, char** argv) {
  const int listener = muxbench::yardstick::listen_or_exit(argc, argv);
  const int epoll = ::epoll_create1(0);
  epoll_event watched{.events = EPOLLIN, .data = {.fd = listener}};
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &watched);
  std::array<epoll_event, 512> ready;
  std::array<char, 16384> buffer;
  while (true) {
    const int count = ::epoll_wait(epoll, ready.data(), ready.size(), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = ready[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        watched.data.fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, watched.data.fd, &watched);
        continue;
      }
      const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
      const auto size = static_cast<std::size_t>(got);
      if (got <= 0 || ::send(fd, buffer.data(), size, MSG_NOSIGNAL) != got) ::close(fd);
    }
  }
}
