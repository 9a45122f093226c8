// An echo server as libuv's guide has it: memory for each read, and a queued write of it.
//   stock_libuv PORT
#include <uv.h>

#include <cstdlib>

#include "listener.h"

namespace {

struct Write {
  uv_write_t request;
  uv_buf_t buffer;
};

void on_alloc(uv_handle_t*, std::size_t suggested, uv_buf_t* buffer) {
  *buffer =
      ::uv_buf_init(static_cast<char*>(std::malloc(suggested)), static_cast<unsigned>(suggested));
}

void on_written(uv_write_t* request, int) {
  auto* const write = reinterpret_cast<Write*>(request);
  std::free(write->buffer.base);
  delete write;
}

void on_read(uv_stream_t* client, ssize_t got, const uv_buf_t* buffer) {
  if (got > 0) {
    auto* const write = new Write;
    write->buffer = ::uv_buf_init(buffer->base, static_cast<unsigned>(got));
    ::uv_write(&write->request, client, &write->buffer, 1, on_written);
    return;
  }
  if (got < 0) {
    ::uv_close(reinterpret_cast<uv_handle_t*>(client),
               [](uv_handle_t* handle) { delete reinterpret_cast<uv_tcp_t*>(handle); });
  }
  std::free(buffer->base);
}

void on_connection(uv_stream_t* listener, int status) {
  if (status < 0) return;
  auto* const client = new uv_tcp_t;
  ::uv_tcp_init(listener->loop, client);
  ::uv_accept(listener, reinterpret_cast<uv_stream_t*>(client));
  ::uv_read_start(reinterpret_cast<uv_stream_t*>(client), on_alloc, on_read);
}

}  // namespace

int main(int argc, char** argv) {
  uv_loop_t* const loop = ::uv_default_loop();
  uv_tcp_t listener;
  ::uv_tcp_init(loop, &listener);
  ::uv_tcp_open(&listener, muxbench::yardstick::listen_or_exit(argc, argv));
  ::uv_listen(reinterpret_cast<uv_stream_t*>(&listener), 4096, on_connection);
  ::uv_run(loop, UV_RUN_DEFAULT);
}
