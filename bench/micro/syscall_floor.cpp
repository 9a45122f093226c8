// syscall_floor/<call>: what nothing can be cheaper than: a reading of the clock, the cheapest system
// call, a receive that finds nothing, and 64 bytes' way through a socket pair and through loopback
// TCP.
//
// Unit: the time of one call, or of one send and the recv that takes what it sent. Inputs: 64 bytes
// a message, non-blocking sockets, TCP_NODELAY, both ends in this thread.
// Timed: a loop over the calls named. Outside of it: opening the sockets. For send and recv apart,
// the other call of the pair follows or precedes outside of the timed region.
#include <sys/syscall.h>
#include <unistd.h>

#include "benchmarks.h"
#include "net/socket.h"
#include "net/sys.h"
#include "samples.h"

namespace muxbench {
namespace {

constexpr std::size_t kBytes = 64;

struct Ends {
  UniqueFd left;
  UniqueFd right;
};

Result<Ends> open_socketpair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    return make_error("cannot open a pair of sockets: {}", describe(last_errno()));
  return Ends{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<Ends> open_loopback() {
  const auto listener = listen_on(*Address::parse("127.0.0.1:0"), {});
  if (!listener) return listener.error();
  const auto address = Address::of_socket(listener->get());
  auto client = connect_to(*address, std::chrono::seconds(10));
  if (!client) return client.error();
  const IoResult accepted = sys::accept(listener->get());
  if (!accepted.ok())
    return make_error("cannot accept a connection over loopback: {}", describe(accepted.error()));
  UniqueFd server(accepted.fd());
  set_nodelay(server.get());
  set_nodelay(client->get());
  return Ends{std::move(*client), std::move(server)};
}

using Open = Result<Ends> (*)();

bool send_all(int fd) {
  std::byte buffer[kBytes] = {};
  const iovec piece{buffer, kBytes};
  return sys::send(fd, {&piece, 1}).ok();
}

bool recv_all(int fd) {
  std::byte buffer[kBytes];
  return sys::recv(fd, buffer).ok();
}

void clock_reading(benchmark::State& state) {
  time_loop(state, "the clock", [] {
    benchmark::DoNotOptimize(Clock::now());
    return true;
  });
}

void call_getppid(benchmark::State& state) {
  time_loop(state, "getppid", [] { return ::syscall(SYS_getppid) >= 0; });
}

void recv_nothing(benchmark::State& state) {
  const auto ends = open_socketpair();
  if (!ends) return give_up(state, ends.error().message);
  std::byte buffer[kBytes];
  time_loop(state, "recv", [&] { return sys::recv(ends->left.get(), buffer).would_block(); });
}

void send_and_recv(benchmark::State& state, Open open) {
  const auto ends = open();
  if (!ends) return give_up(state, ends.error().message);
  time_loop(state, "send or recv",
            [&] { return send_all(ends->left.get()) && recv_all(ends->right.get()); });
}

// The two halves apart, by a reading of the clock around each call.
void send_alone(benchmark::State& state, Open open) {
  const auto ends = open();
  if (!ends) return give_up(state, ends.error().message);
  take_samples(state, 1, [&](Region& region) {
    region.begin();
    const bool sent = send_all(ends->left.get());
    region.end();
    if (!sent || !recv_all(ends->right.get())) region.make_error("send failed");
  });
}

void recv_alone(benchmark::State& state, Open open) {
  const auto ends = open();
  if (!ends) return give_up(state, ends.error().message);
  take_samples(state, 1, [&](Region& region) {
    const bool sent = send_all(ends->left.get());
    region.begin();
    const bool got = recv_all(ends->right.get());
    region.end();
    if (!sent || !got) region.make_error("recv failed");
  });
}

}  // namespace

void register_syscall_floor() {
  add_benchmark("syscall_floor/clock_reading", clock_reading);
  add_benchmark("syscall_floor/getppid", call_getppid);
  add_benchmark("syscall_floor/recv_eagain", recv_nothing);
  for (const auto& [name, open] : {std::pair<std::string, Open>{"socketpair", open_socketpair},
                                   std::pair<std::string, Open>{"loopback_tcp", open_loopback}}) {
    const Open with = open;
    add_benchmark("syscall_floor/send/" + name, [=](auto& state) { send_alone(state, with); });
    add_benchmark("syscall_floor/recv/" + name, [=](auto& state) { recv_alone(state, with); });
    add_benchmark("syscall_floor/send_recv/" + name,
                  [=](auto& state) { send_and_recv(state, with); });
  }
}

}  // namespace muxbench
