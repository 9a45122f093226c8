// syscall_floor/<call>: what nothing can be cheaper than: the cheapest system call, a receive that
// finds nothing, and a byte's way through a socket pair and through loopback TCP.
//
// Timed: the loop body named. Outside: opening the sockets.
#include <benchmark/benchmark.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "benchmarks.h"
#include "net/socket.h"
#include "net/sys.h"

namespace muxbench {
namespace {

struct Ends {
  UniqueFd left;
  UniqueFd right;
};

Ends open_socketpair() {
  int ends[2] = {-1, -1};
  ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Ends open_loopback() {
  const auto listener = listen_on(*Address::parse("127.0.0.1:0"), {});
  if (!listener) return {};
  const auto address = Address::of_socket(listener->get());
  auto client = connect_to(*address, std::chrono::seconds(1));
  if (!client) return {};
  UniqueFd server(sys::accept(listener->get()).fd());
  set_nodelay(server.get());
  return {std::move(*client), std::move(server)};
}

void call_getppid(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(::syscall(SYS_getppid));
}

void recv_nothing(benchmark::State& state) {
  const Ends ends = open_socketpair();
  std::byte buffer[64];
  for (auto _ : state) benchmark::DoNotOptimize(sys::recv(ends.left.get(), buffer).would_block());
}

void send_and_recv(benchmark::State& state, Ends (*open)()) {
  const Ends ends = open();
  if (!ends.left || !ends.right) return state.SkipWithError("cannot open a pair of sockets");
  std::byte buffer[64] = {};
  const iovec piece{buffer, sizeof buffer};
  for (auto _ : state) {
    const IoResult sent = sys::send(ends.left.get(), {&piece, 1});
    const IoResult got = sys::recv(ends.right.get(), buffer);
    if (!sent.ok() || !got.ok())
      return state.SkipWithError("the socket did not take or give 64 bytes");
  }
}

}  // namespace

void register_syscall_floor() {
  benchmark::RegisterBenchmark("syscall_floor/getppid", call_getppid);
  benchmark::RegisterBenchmark("syscall_floor/recv_eagain", recv_nothing);
  benchmark::RegisterBenchmark("syscall_floor/send_recv/socketpair",
                               [](benchmark::State& s) { send_and_recv(s, open_socketpair); });
  benchmark::RegisterBenchmark("syscall_floor/send_recv/loopback_tcp",
                               [](benchmark::State& s) { send_and_recv(s, open_loopback); });
}

}  // namespace muxbench
