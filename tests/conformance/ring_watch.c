/* Put before liburing (LD_PRELOAD), it looks into the ring after each submission and leaves a file for what it saw there:
 * RING_WATCH.overflow where completions had no room, RING_WATCH.no_buffers where a receive found no provided buffer,
 * RING_WATCH.short_send where fewer bytes went out than were asked for, RING_WATCH.no_descriptors with a byte for each
 * accept that found none.
 * With RING_ENTRIES the ring's queues are made as small as that. With RING_SHORT_SENDS the kernel is asked for half of each
 * send of one piece; to the server that is a short send, with what comes with it in a ring. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int no_descriptors_file; /* open from the start: later there is no descriptor for it */

static int open_file(const char* what) {
  char path[4096];
  snprintf(path, sizeof path, "%s.%s", getenv("RING_WATCH"), what);
  return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void leave_mark(const char* what) { close(open_file(what)); }

/* Each thread has a ring of its own: the one that it made last. */
static __thread struct io_uring* own_ring;

/* What sends that are under way were asked for, by the hash of their user_data; a collision forgets the older one. */
static __thread struct asked {
  unsigned long long user_data;
  size_t bytes;
} asked[4096];

static struct asked* asked_by(unsigned long long user_data) {
  return &asked[(user_data * 0x9e3779b97f4a7c15ULL) >> 52];
}

static size_t bytes_of(const struct io_uring_sqe* sqe) {
  if (sqe->opcode == IORING_OP_SEND) return sqe->len;
  if (sqe->opcode != IORING_OP_SENDMSG && sqe->opcode != IORING_OP_WRITEV) return 0;
  const struct msghdr* message = (const struct msghdr*)(uintptr_t)sqe->addr;
  const int is_message = sqe->opcode == IORING_OP_SENDMSG;
  const struct iovec* pieces =
      is_message ? message->msg_iov : (const struct iovec*)(uintptr_t)sqe->addr;
  const size_t count = is_message ? message->msg_iovlen : sqe->len;
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) bytes += pieces[i].iov_len;
  return bytes;
}

/* The completion of a short send comes, as it is no success, even where that of a success is skipped; and what is linked
 * to it is cancelled, without a completion if the send would have had none. */
static void cut(struct io_uring_sqe* send, struct io_uring_sqe* next) {
  const int linked = (send->flags & IOSQE_IO_LINK) != 0;
  if (linked && (next == NULL || !(send->flags & IOSQE_CQE_SKIP_SUCCESS))) return;
  send->len = (send->len + 1) / 2;
  send->flags &= (unsigned char)~(IOSQE_CQE_SKIP_SUCCESS | IOSQE_IO_LINK);
  if (!linked) return;
  const unsigned long long user_data = next->user_data;
  io_uring_prep_nop(next);
  next->user_data = user_data;
  next->flags = IOSQE_CQE_SKIP_SUCCESS;
}

static void before_submission(struct io_uring* ring, unsigned from, unsigned to) {
  const int cuts = getenv("RING_SHORT_SENDS") != NULL;
  for (unsigned at = from; at != to; ++at) {
    struct io_uring_sqe* sqe = &ring->sq.sqes[at & ring->sq.ring_mask];
    const size_t bytes = bytes_of(sqe);
    if (bytes == 0) continue;
    *asked_by(sqe->user_data) = (struct asked){sqe->user_data, bytes};
    struct io_uring_sqe* next = at + 1 != to ? &ring->sq.sqes[(at + 1) & ring->sq.ring_mask] : NULL;
    if (cuts && sqe->opcode == IORING_OP_SEND && bytes > 1) cut(sqe, next);
  }
}

static __thread unsigned
    looked_at; /* completions that the server has not taken yet are seen again */

static void look_into(struct io_uring* ring) {
  static int overflow, no_buffers, short_send;
  if (!overflow && io_uring_cq_has_overflow(ring)) overflow = 1, leave_mark("overflow");
  unsigned head;
  struct io_uring_cqe* cqe;
  io_uring_for_each_cqe(ring, head, cqe) {
    if (!no_buffers && cqe->res == -ENOBUFS) no_buffers = 1, leave_mark("no_buffers");
    if ((int)(head - looked_at) < 0) continue;
    looked_at = head + 1;
    struct asked* send = asked_by(cqe->user_data);
    const int is_short =
        send->user_data == cqe->user_data && cqe->res > 0 && (size_t)cqe->res < send->bytes;
    if (is_short && !short_send) short_send = 1, leave_mark("short_send");
    if (send->user_data == cqe->user_data) send->bytes = 0;
    if (cqe->res == -EMFILE) (void)!write(no_descriptors_file, "!", 1);
  }
}

static unsigned wanted_entries(unsigned asked) {
  const char* entries = getenv("RING_ENTRIES");
  return entries != NULL ? (unsigned)atoi(entries) : asked;
}

int io_uring_queue_init_params(unsigned entries, struct io_uring* ring,
                               struct io_uring_params* parameters) {
  if (no_descriptors_file == 0) no_descriptors_file = open_file("no_descriptors");
  own_ring = ring;
  looked_at = 0;
  entries = wanted_entries(entries);
  parameters->cq_entries = wanted_entries(parameters->cq_entries);
  return REAL(io_uring_queue_init_params)(entries, ring, parameters);
}

#define LOOKING(from, to, call)      \
  before_submission(ring, from, to); \
  const int status = (call);         \
  const int error = errno;           \
  look_into(ring);                   \
  errno = error;                     \
  return status;
#define LOOKING_AT_QUEUE(call) LOOKING(ring->sq.sqe_head, ring->sq.sqe_tail, call)

int io_uring_submit(struct io_uring* ring) { LOOKING_AT_QUEUE(REAL(io_uring_submit)(ring)) }
int io_uring_submit_and_wait(struct io_uring* ring, unsigned count) {
  LOOKING_AT_QUEUE(REAL(io_uring_submit_and_wait)(ring, count))
}
int io_uring_submit_and_wait_timeout(struct io_uring* ring, struct io_uring_cqe** first,
                                     unsigned count, struct __kernel_timespec* limit,
                                     sigset_t* mask) {
  LOOKING_AT_QUEUE(REAL(io_uring_submit_and_wait_timeout)(ring, first, count, limit, mask))
}
/* Who calls this has shown the queue to the kernel already. */
int io_uring_enter2(unsigned fd, unsigned count, unsigned least, unsigned flags, sigset_t* how,
                    size_t size) {
  struct io_uring* ring = own_ring;
  LOOKING(*ring->sq.khead, *ring->sq.ktail,
          REAL(io_uring_enter2)(fd, count, least, flags, how, size))
}
