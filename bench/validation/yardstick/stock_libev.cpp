// An echo server as libev's manual begins one: a watcher for each connection, a shared buffer.
//   stock_libev PORT
#include <ev.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listener.h"

namespace {

void on_readable(struct ev_loop* loop, ev_io* watcher, int) {
  static char buffer[16384];
  const ssize_t got = ::recv(watcher->fd, buffer, sizeof buffer, 0);
  const auto size = static_cast<std::size_t>(got);
  if (got > 0 && ::send(watcher->fd, buffer, size, MSG_NOSIGNAL) == got) return;
  ::ev_io_stop(loop, watcher);
  ::close(watcher->fd);
  delete watcher;
}

void on_acceptable(struct ev_loop* loop, ev_io* listener, int) {
  const int fd = ::accept4(listener->fd, nullptr, nullptr, SOCK_NONBLOCK);
  if (fd < 0) return;
  auto* watcher = new ev_io;
  ev_io_init(watcher, on_readable, fd, EV_READ);
  ::ev_io_start(loop, watcher);
}

}  // namespace

int main(int argc, char** argv) {
  struct ev_loop* const loop = ::ev_default_loop(0);
  ev_io listener;
  ev_io_init(&listener, on_acceptable, muxbench::yardstick::listen_or_exit(argc, argv), EV_READ);
  ::ev_io_start(loop, &listener);
  ::ev_run(loop, 0);
}
