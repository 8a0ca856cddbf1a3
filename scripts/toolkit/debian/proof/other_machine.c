/* Loaded before all other libraries, for what no namespace and no file can change. VERSION is given to the compiler. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

typedef int sleeper(clockid_t, int, const struct timespec *, struct timespec *);
typedef int teller(struct utsname *);

/* libfaketime 0.9.10 makes clock_nanosleep(2) fail with EINVAL when it waits for a moment of the monotonic clock, for it
   moves the moment although FAKETIME_DONT_FAKE_MONOTONIC is set. Python's time.sleep waits so. */
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *moment, struct timespec *left)
{
    if (clock != CLOCK_MONOTONIC)
        return ((sleeper *) dlsym(RTLD_NEXT, "clock_nanosleep"))(clock, flags, moment, left);
    return syscall(SYS_clock_nanosleep, clock, flags, moment, left) == 0 ? 0 : errno;
}

int uname(struct utsname *found)
{
    int status = ((teller *) dlsym(RTLD_NEXT, "uname"))(found);
    if (status == 0)
        snprintf(found->version, sizeof found->version, "%s", VERSION);
    return status;
}
