#include "net/socket.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/time.h>

namespace muxbench {
namespace {

void set_option(int fd, int level, int name, int value) noexcept {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

// A socket's file that nobody listens behind. connect(2) refuses other kinds of files alike.
bool is_stale_socket(const Address& address) {
  struct stat file {};
  if (::lstat(std::string(address.path()).c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) {
    return false;
  }
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), address.data(), address.size()) != 0 && errno == ECONNREFUSED;
}

}  // namespace

Result<UniqueFd> listen_on(const Address& address, const ListenOptions& options) {
  const int type = SOCK_STREAM | SOCK_CLOEXEC | (options.nonblocking ? SOCK_NONBLOCK : 0);
  UniqueFd listener(::socket(address.family(), type, 0));
  if (!listener) return make_error("cannot create a socket: {}", describe(last_errno()));
  if (!address.is_unix()) set_option(listener.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reuse_port) set_option(listener.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  // Accepted sockets inherit it: urgent data stays in the stream, as RFC 6093 has it.
  if (!address.is_unix()) set_option(listener.get(), SOL_SOCKET, SO_OOBINLINE, 1);

  int status = ::bind(listener.get(), address.data(), address.size());
  if (status != 0 && errno == EADDRINUSE && address.is_unix() && is_stale_socket(address)) {
    ::unlink(std::string(address.path()).c_str());
    status = ::bind(listener.get(), address.data(), address.size());
  }
  if (status == 0) status = ::listen(listener.get(), options.backlog);
  if (status == 0) return listener;

  const Errno error = last_errno();
  if (error == Errno{EADDRINUSE}) {
    return make_error("{} is in use by another program; stop it or listen on another address",
                      address.to_string());
  }
  return make_error("cannot listen on {}: {}", address.to_string(), describe(error));
}

Result<UniqueFd> connect_to(const Address& address, Nanoseconds timeout) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return make_error("cannot create a socket: {}", describe(last_errno()));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const timeval limit{
      .tv_sec = seconds.count(),
      .tv_usec = std::chrono::duration_cast<std::chrono::microseconds>(timeout - seconds).count()};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  set_nodelay(fd.get());
  // On a socket with a timeout a signal ends the wait without a restart; asked again, it goes on.
  int failed = 0;
  do {
    failed = ::connect(fd.get(), address.data(), address.size());
  } while (failed != 0 && errno == EINTR);
  if (failed != 0) {
    return make_error("cannot connect to {}: {}", address.to_string(), describe(last_errno()));
  }
  return fd;
}

void set_nodelay(int fd) noexcept { set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

void set_nonblocking(int fd, bool on) noexcept {
  const int flags = ::fcntl(fd, F_GETFL);
  ::fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

}  // namespace muxbench
