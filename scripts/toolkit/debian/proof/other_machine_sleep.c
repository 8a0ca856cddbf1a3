/* Loaded before libfaketime: its release 0.9.10 makes clock_nanosleep(2) fail with EINVAL when it waits for a moment of
   the monotonic clock, for it moves the moment although FAKETIME_DONT_FAKE_MONOTONIC is set. Python's time.sleep waits
   so. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

typedef int sleeper(clockid_t, int, const struct timespec *, struct timespec *);

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *moment, struct timespec *left)
{
    if (clock != CLOCK_MONOTONIC)
        return ((sleeper *) dlsym(RTLD_NEXT, "clock_nanosleep"))(clock, flags, moment, left);
    return syscall(SYS_clock_nanosleep, clock, flags, moment, left) == 0 ? 0 : errno;
}
