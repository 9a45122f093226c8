/* Put before liburing (LD_PRELOAD), it looks into the ring after each submission and leaves a file for what it saw there:
 * RING_WATCH.overflow where completions had no room, RING_WATCH.no_buffers where a receive found no provided buffer,
 * RING_WATCH.no_descriptors with a byte for each accept that found none.
 * With RING_ENTRIES the ring's queues are made as small as that. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int no_descriptors_file;  /* open from the start: later there is no descriptor for it */

static int open_file(const char* what) {
  char path[4096];
  snprintf(path, sizeof path, "%s.%s", getenv("RING_WATCH"), what);
  return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void leave_mark(const char* what) { close(open_file(what)); }

static void look_into(struct io_uring* ring) {
  static int overflow, no_buffers;
  if (!overflow && io_uring_cq_has_overflow(ring)) overflow = 1, leave_mark("overflow");
  static unsigned looked_at;  /* completions that the server has not taken yet are seen again */
  unsigned head;
  struct io_uring_cqe* cqe;
  io_uring_for_each_cqe(ring, head, cqe) {
    if (!no_buffers && cqe->res == -ENOBUFS) no_buffers = 1, leave_mark("no_buffers");
    if ((int)(head - looked_at) < 0) continue;
    looked_at = head + 1;
    if (cqe->res == -EMFILE) (void)!write(no_descriptors_file, "!", 1);
  }
}

static unsigned wanted_entries(unsigned asked) {
  const char* entries = getenv("RING_ENTRIES");
  return entries != NULL ? (unsigned)atoi(entries) : asked;
}

int io_uring_queue_init_params(unsigned entries, struct io_uring* ring, struct io_uring_params* parameters) {
  no_descriptors_file = open_file("no_descriptors");
  entries = wanted_entries(entries);
  parameters->cq_entries = wanted_entries(parameters->cq_entries);
  return REAL(io_uring_queue_init_params)(entries, ring, parameters);
}

#define LOOKING(call)         \
  const int status = (call);  \
  const int error = errno;    \
  look_into(ring);            \
  errno = error;              \
  return status;

int io_uring_submit(struct io_uring* ring) { LOOKING(REAL(io_uring_submit)(ring)) }
int io_uring_submit_and_wait(struct io_uring* ring, unsigned count) { LOOKING(REAL(io_uring_submit_and_wait)(ring, count)) }
int io_uring_submit_and_wait_timeout(struct io_uring* ring, struct io_uring_cqe** first, unsigned count,
                                     struct __kernel_timespec* limit, sigset_t* mask) {
  LOOKING(REAL(io_uring_submit_and_wait_timeout)(ring, first, count, limit, mask))
}
