// An echo server as libevent's book has it: evconnlistener, and a bufferevent for each connection
// whose input is moved to its output.
//   stock_libevent PORT
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "listener.h"

namespace {

void on_read(bufferevent* connection, void*) {
  ::evbuffer_add_buffer(::bufferevent_get_output(connection), ::bufferevent_get_input(connection));
}

void on_end(bufferevent* connection, short, void*) { ::bufferevent_free(connection); }

void on_accept(evconnlistener* listener, int fd, sockaddr*, int, void*) {
  bufferevent* const connection =
      ::bufferevent_socket_new(::evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
  ::bufferevent_setcb(connection, on_read, nullptr, on_end, nullptr);
  ::bufferevent_enable(connection, EV_READ | EV_WRITE);
}

}  // namespace

int main(int argc, char** argv) {
  event_base* const base = ::event_base_new();
  constexpr int kListensAlready = 0;
  ::evconnlistener_new(base, on_accept, nullptr, LEV_OPT_CLOSE_ON_FREE, kListensAlready,
                       muxbench::yardstick::listen_or_exit(argc, argv));
  ::event_base_dispatch(base);
}
