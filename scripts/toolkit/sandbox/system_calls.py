"""The filter of system calls: what no compiler, no build backend and no test needs, and an attack on the kernel does.

The list is Flatpak's (common/flatpak-run.c, setup_seccomp), with what has come to Linux since. libseccomp knows the
numbers on every architecture; apt itself needs it, so that every Debian has it.
"""

from __future__ import annotations

import ctypes
import errno
import struct
import tempfile
from collections.abc import Iterator
from functools import cache

#: Answered with EPERM, as without the privilege.
_REFUSED = (
    *("syslog", "uselib", "acct", "quotactl", "quotactl_fd", "swapon", "swapoff", "reboot", "nfsservctl"),
    *("add_key", "keyctl", "request_key"),
    *("move_pages", "mbind", "get_mempolicy", "set_mempolicy", "migrate_pages", "set_mempolicy_home_node"),
    *("unshare", "setns", "mount", "umount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen"),
    *("fsconfig", "fsmount", "fspick", "mount_setattr", "open_by_handle_at", "name_to_handle_at"),
    *("perf_event_open", "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "process_madvise"),
    *("bpf", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "vmsplice", "lookup_dcookie"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "iopl", "ioperm", "vhangup"),
    *("settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname", "modify_ldt"),
    *("fanotify_init", "fanotify_mark"),
)
#: Answered with ENOSYS, so that the C library takes the older call, whose flags can be looked at.
_UNKNOWN = ("clone3",)
#: The first call that nobody has looked at for this list (Linux 6.11, setxattrat). From clone3, 435, on they have the
#: same numbers on every architecture, from whatever number its own begin at.
_FIRST_UNSEEN, _CLONE3 = 463, 435
#: socket(2): AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. Not AF_VSOCK, which no network namespace confines.
_NETLINK = 16
_FAMILIES = frozenset({1, 2, 10, _NETLINK})
#: Bytes of a segment of System V's shared memory, which is counted as nobody's while nobody has it mapped, and of which
#: there may be 4096 in an IPC namespace: PostgreSQL takes 56. And semaphores of a set, 64 bytes each, of which there
#: may be 32000: PostgreSQL takes 20. Queues, which may hold any number of messages without a byte, are refused.
_LARGEST_SEGMENT, _LARGEST_SET = 1 << 16, 64
#: Where there are no namespaces: answered with success, and not done.
_PRETENDED = ("setsid", "setpgid")
#: There refused, too: what is shared with all of this machine, or tells of others' files.
_SHARED = (
    *("shmget", "shmat", "shmctl", "msgget", "msgsnd", "msgrcv", "msgctl", "semget", "semop", "semtimedop", "semctl"),
    *("mq_open", "mq_unlink", "inotify_add_watch"),
)
#: There refused for other processes: the argument that names one, and what stands for the caller.
_OF_PROCESSES = (
    *(("prlimit64", 0, 0), ("sched_setaffinity", 0, 0), ("sched_setscheduler", 0, 0), ("sched_setparam", 0, 0)),
    *(
        ("sched_setattr", 0, 0),
        ("setpriority", 0, 0),
        ("setpriority", 1, 0),
        ("ioprio_set", 0, 1),
        ("ioprio_set", 1, 0),
    ),
)
#: There left to a supervisor: what changes modes, owners, times and attributes of files, which Landlock does not see.
SUPERVISED = (
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown", "fchownat"),
    *("utime", "utimes", "futimesat", "utimensat"),
    *("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"),
)
_CLONE_NEW = 0x7E020000  # every CLONE_NEW* flag of clone(2)
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_ALLOW, _NOTIFY, _ERRNO = 0x7FFF0000, 0x7FC00000, 0x00050000
_NOT_EQUAL, _EQUAL, _GREATER, _MASKED_EQUAL = 1, 4, 6, 7  # enum scmp_compare
_S_IFMT, _S_IFCHR, _S_IFBLK = 0o170000, 0o020000, 0o060000


#: A system call, what it is answered with, and the conditions on its arguments under which it is.
_Rule = tuple[str, int, list[tuple[int, int, int, int]]]


class _Comparison(ctypes.Structure):
    """`struct scmp_arg_cmp` of seccomp.h."""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("first", ctypes.c_uint64), ("second", ctypes.c_uint64))


def _rules(*, sockets: bool, namespaces: bool) -> Iterator[_Rule]:
    for name in _REFUSED:
        yield name, _ERRNO | errno.EPERM, []
    for name in _UNKNOWN:
        yield name, _ERRNO | errno.ENOSYS, []
    # Others than Linux's own switch protections off (PER_LINUX is 0).
    yield "personality", _ERRNO | errno.EPERM, [(0, _NOT_EQUAL, 0, 0)]
    # Named pipes may be made; devices may not.
    for name, position in (("mknod", 1), ("mknodat", 2)):
        for kind in (_S_IFCHR, _S_IFBLK):
            yield name, _ERRNO | errno.EPERM, [(position, _MASKED_EQUAL, _S_IFMT, kind)]
    for bit in (1 << number for number in range(32)):
        if _CLONE_NEW & bit:
            yield "clone", _ERRNO | errno.EPERM, [(0, _MASKED_EQUAL, bit, bit)]
    for request in (_TIOCSTI, _TIOCLINUX):
        yield "ioctl", _ERRNO | errno.EPERM, [(1, _MASKED_EQUAL, 0xFFFFFFFF, request)]
    yield from _on_sockets(allowed=sockets)
    if namespaces:
        yield "shmget", _ERRNO | errno.EINVAL, [(1, _GREATER, _LARGEST_SEGMENT, 0)]
        yield "semget", _ERRNO | errno.EINVAL, [(1, _GREATER, _LARGEST_SET, 0)]
        yield "msgget", _ERRNO | errno.ENOSYS, []
    else:
        yield from _instead_of_namespaces()


def _instead_of_namespaces() -> Iterator[_Rule]:
    for name in _PRETENDED:
        yield name, _ERRNO, []
    for name in _SHARED:
        yield name, _ERRNO | errno.EACCES, []
    for name, position, own in _OF_PROCESSES:
        yield name, _ERRNO | errno.EPERM, [(position, _NOT_EQUAL, own, 0)]
    for name in SUPERVISED:
        yield name, _NOTIFY, []


def _on_sockets(*, allowed: bool) -> Iterator[_Rule]:
    if not allowed:
        yield "socket", _ERRNO | errno.EACCES, []
        return
    yield "socket", _ERRNO | errno.EAFNOSUPPORT, [(0, _GREATER, max(_FAMILIES), 0)]
    for family in set(range(max(_FAMILIES))) - _FAMILIES:
        yield "socket", _ERRNO | errno.EAFNOSUPPORT, [(0, _EQUAL, family, 0)]
    # NETLINK_ROUTE (0) is what the C library asks for addresses; others lead to the firewall, to audit, and so on.
    yield "socket", _ERRNO | errno.EPROTONOSUPPORT, [(0, _EQUAL, _NETLINK, 0), (2, _NOT_EQUAL, 0, 0)]


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    return library


def number(name: str) -> int:
    """Return the number of a call on this architecture, less than 0 where it has none."""
    return int(_library().seccomp_syscall_resolve_name(name.encode()))


def supervised() -> dict[int, str]:
    """Return the calls that a supervisor has to answer, by their numbers."""
    return {found: name for name in SUPERVISED if (found := number(name)) >= 0}


@cache
def program(*, sockets: bool = True, namespaces: bool = True) -> bytes:
    """Return the filter as the kernel takes it (seccomp(2)). Raises `OSError` without libseccomp.

    Where no `namespaces` do the rest, there are no `sockets` where there is a network, no sessions or process groups
    but the first, nothing that is shared with all of this machine, and `SUPERVISED` waits for a supervisor.
    """
    library = _library()
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_ALLOW)))
    if not context:
        raise OSError(errno.ENOMEM, "libseccomp makes no filter")

    for name, action, conditions in _rules(sockets=sockets, namespaces=namespaces):
        call = number(name)
        # -1: this libseccomp is older than the call.
        if call != -1:
            rules = (_Comparison * len(conditions))(*(_Comparison(*condition) for condition in conditions))
            arguments = (ctypes.c_uint32(action), call, ctypes.c_uint(len(conditions)), rules)
            status = library.seccomp_rule_add_array(context, *arguments)
            # A call that this architecture has not is none to refuse.
            if status not in (0, -errno.EDOM, -errno.EFAULT):
                raise OSError(-status, f"libseccomp takes no rule for {name}")
    first_unseen = number("clone3") - _CLONE3 + _FIRST_UNSEEN
    with tempfile.TemporaryFile() as stream:
        status = library.seccomp_export_bpf(context, stream.fileno())
        library.seccomp_release(context)
        if status:
            raise OSError(-status, "libseccomp exports no filter")
        stream.seek(0)
        return _without_unseen(first_unseen) + stream.read()


def _without_unseen(first: int) -> bytes:
    """Return the beginning of a filter: calls that are newer than this list are not there (struct sock_filter).

    That is what programs expect of an older kernel. Far above are numbers of other kinds (32-bit ARM, x32).
    """
    load, at_least, answer = 0x20, 0x35, 0x06
    words = [(load, 0, 0, 0), (at_least, 0, 2, first), (at_least, 1, 0, first + 1024)]
    words.append((answer, 0, 0, _ERRNO | errno.ENOSYS))
    return b"".join(struct.pack("=HBBI", *word) for word in words)
