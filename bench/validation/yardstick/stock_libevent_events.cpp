// An echo server as libevent's book has it before it comes to bufferevents: two plain events for
// each connection, one that reads until the socket is empty, one that is added while there is
// something to write.
//   stock_libevent_events PORT
#include <errno.h>
#include <event2/event.h>
#include <unistd.h>

#include <cstddef>

#include "listener.h"

namespace {

struct Connection {
  event* read_event;
  event* write_event;
  char buffer[16'384];
  std::size_t used = 0;
  std::size_t written = 0;
};

void end(int fd, Connection* connection) {
  ::event_free(connection->read_event);
  ::event_free(connection->write_event);
  ::close(fd);
  delete connection;
}

void on_writable(int fd, short, void* argument) {
  auto* const connection = static_cast<Connection*>(argument);
  while (connection->written < connection->used) {
    const ssize_t sent = ::send(fd, connection->buffer + connection->written,
                                connection->used - connection->written, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno != EAGAIN) end(fd, connection);
      return;
    }
    connection->written += static_cast<std::size_t>(sent);
  }
  connection->used = connection->written = 0;
  ::event_del(connection->write_event);
}

void on_readable(int fd, short, void* argument) {
  auto* const connection = static_cast<Connection*>(argument);
  while (connection->used < sizeof connection->buffer) {
    const ssize_t got = ::recv(fd, connection->buffer + connection->used,
                               sizeof connection->buffer - connection->used, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return end(fd, connection);
    if (got < 0) break;
    connection->used += static_cast<std::size_t>(got);
    ::event_add(connection->write_event, nullptr);
  }
}

void on_accept(int listener, short, void* argument) {
  auto* const base = static_cast<event_base*>(argument);
  const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  auto* const connection = new Connection;
  connection->read_event = ::event_new(base, fd, EV_READ | EV_PERSIST, on_readable, connection);
  connection->write_event = ::event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, connection);
  ::event_add(connection->read_event, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  event_base* const base = ::event_base_new();
  const int listener = muxbench::yardstick::listen_or_exit(argc, argv);
  ::event_add(::event_new(base, listener, EV_READ | EV_PERSIST, on_accept, base), nullptr);
  ::event_base_dispatch(base);
}
