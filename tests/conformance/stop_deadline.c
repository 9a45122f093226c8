/* Put before libc (LD_PRELOAD), it notes the deadline that a server sets itself when it is told to stop: a line with
 * its nanoseconds in the file STOP_DEADLINE_NOTE. With STOP_DEADLINE_NEVER that deadline never comes, so a server that
 * waits for it instead of ending does not end. The deadline is the only timer that a server sets with timer_settime(2). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static __typeof__(&timer_settime) real_timer_settime;
static const char* note;
static int never;

/* Not later: a signal handler makes the call. */
__attribute__((constructor)) static void prepare(void) {
  real_timer_settime = (__typeof__(&timer_settime))dlsym(RTLD_NEXT, "timer_settime");
  note = getenv("STOP_DEADLINE_NOTE");
  never = getenv("STOP_DEADLINE_NEVER") != NULL;
}

int timer_settime(timer_t timer, int flags, const struct itimerspec* value,
                  struct itimerspec* old) {
  if (note != NULL) {
    char line[32];
    const int size = snprintf(line, sizeof line, "%lld\n",
                              value->it_value.tv_sec * 1000000000LL + value->it_value.tv_nsec);
    const int file = open(note, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || write(file, line, (size_t)size) != size) abort();
    close(file);
  }
  return never ? 0 : real_timer_settime(timer, flags, value, old);
}
