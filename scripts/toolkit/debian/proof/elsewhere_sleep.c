/* Loaded before libfaketime, whose release 0.9.10 makes sleepers fail (EINVAL) that wait for a moment of the monotonic
   clock: it moves the moment, though it was told to leave that clock alone. Python's time.sleep is such a sleeper. */
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
