/* Put before libc (LD_PRELOAD), it makes transfers on sockets short: 1 to 7 bytes, and one in five
 * fails with EINTR first. What a kernel may do, and seldom does. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_connection(int fd) {
  struct stat status;
  const int saved = errno;
  const int is_socket = fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
  errno = saved;
  return is_socket;
}

/* The same in every run, and of no period that a server's rounds could fall in with. */
static unsigned next(void) {
  static __thread unsigned state = 1;
  state = state * 1103515245u + 12345u;
  return state >> 16;
}

/* The test looks for this file: a fault that never happened proves nothing. */
static void leave_mark(void) {
  static int left;
  const char* mark = getenv("SHORT_IO_MARK");
  if (left || mark == NULL) return;
  left = 1;
  close(open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

/* 0: interrupted. Otherwise the most that this transfer moves. */
static size_t allowed(int fd, size_t size) {
  if (size == 0 || !is_connection(fd)) return size;
  leave_mark();
  const unsigned n = next();
  if (n % 5 == 0) return 0;
  if (getenv("SHORT_IO_ONLY_INTERRUPT") != NULL) return size;
  const size_t most = 1 + n % 7;
  return size < most ? size : most;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define SHORTEN(fd, size)                   \
  const size_t asked = (size);              \
  const size_t part = allowed((fd), asked); \
  if (part == 0 && asked != 0) {            \
    errno = EINTR;                          \
    return -1;                              \
  }

ssize_t recv(int fd, void* into, size_t size, int flags) {
  SHORTEN(fd, size)
  return REAL(recv)(fd, into, part, flags);
}
ssize_t send(int fd, const void* from, size_t size, int flags) {
  SHORTEN(fd, size)
  return REAL(send)(fd, from, part, flags);
}
ssize_t read(int fd, void* into, size_t size) {
  SHORTEN(fd, size)
  return REAL(read)(fd, into, part);
}
ssize_t write(int fd, const void* from, size_t size) {
  SHORTEN(fd, size)
  return REAL(write)(fd, from, part);
}

/* Of several pieces only the first that is not empty takes part. */
static struct iovec first_piece(const struct iovec* pieces, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (pieces[i].iov_len != 0) return pieces[i];
  }
  return (struct iovec){0};
}

ssize_t readv(int fd, const struct iovec* pieces, int count) {
  if (!is_connection(fd)) return REAL(readv)(fd, pieces, count);
  struct iovec one = first_piece(pieces, (size_t)count);
  SHORTEN(fd, one.iov_len)
  one.iov_len = part;
  return REAL(readv)(fd, &one, 1);
}
ssize_t writev(int fd, const struct iovec* pieces, int count) {
  if (!is_connection(fd)) return REAL(writev)(fd, pieces, count);
  struct iovec one = first_piece(pieces, (size_t)count);
  SHORTEN(fd, one.iov_len)
  one.iov_len = part;
  return REAL(writev)(fd, &one, 1);
}
ssize_t recvmsg(int fd, struct msghdr* message, int flags) {
  struct iovec one = first_piece(message->msg_iov, message->msg_iovlen);
  SHORTEN(fd, one.iov_len)
  struct msghdr shorter = *message;
  one.iov_len = part;
  shorter.msg_iov = &one;
  shorter.msg_iovlen = 1;
  const ssize_t got = REAL(recvmsg)(fd, &shorter, flags);
  message->msg_namelen = shorter.msg_namelen;
  message->msg_controllen = shorter.msg_controllen;
  message->msg_flags = shorter.msg_flags;
  return got;
}
ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  struct iovec one = first_piece(message->msg_iov, message->msg_iovlen);
  SHORTEN(fd, one.iov_len)
  struct msghdr shorter = *message;
  one.iov_len = part;
  shorter.msg_iov = &one;
  shorter.msg_iovlen = 1;
  return REAL(sendmsg)(fd, &shorter, flags);
}
