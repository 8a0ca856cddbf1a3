"""The filter of system calls: what no compiler, no build backend and no test needs, and an attack on the kernel does.

The list is Flatpak's (common/flatpak-run.c, setup_seccomp), with what has come to Linux since. libseccomp knows the
numbers on every architecture; apt itself needs it, so that every Debian has it.
"""

from __future__ import annotations

import ctypes
import errno
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
#: Answered with success, and not done.
_PRETENDED = ("setsid", "setpgid")
#: socket(2): AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. Not AF_VSOCK, which no network namespace confines.
_FAMILIES = frozenset({1, 2, 10, 16})
_CLONE_NEW = 0x7E020000  # every CLONE_NEW* flag of clone(2)
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NOT_EQUAL, _EQUAL, _GREATER, _MASKED_EQUAL = 1, 4, 6, 7  # enum scmp_compare
_S_IFMT, _S_IFCHR, _S_IFBLK = 0o170000, 0o020000, 0o060000


_Rule = tuple[str, int, list[tuple[int, int, int, int]]]


class _Comparison(ctypes.Structure):
    """`struct scmp_arg_cmp` of seccomp.h."""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("first", ctypes.c_uint64), ("second", ctypes.c_uint64))


def _rules(*, sockets: bool, sessions: bool) -> Iterator[_Rule]:
    """Yield system calls, the error that each ends in, and the conditions on its arguments under which it does."""
    for name in _REFUSED:
        yield name, errno.EPERM, []
    for name in _UNKNOWN:
        yield name, errno.ENOSYS, []
    # Others than Linux's own switch protections off (PER_LINUX is 0).
    yield "personality", errno.EPERM, [(0, _NOT_EQUAL, 0, 0)]
    # Named pipes may be made; devices may not.
    for name, position in (("mknod", 1), ("mknodat", 2)):
        for kind in (_S_IFCHR, _S_IFBLK):
            yield name, errno.EPERM, [(position, _MASKED_EQUAL, _S_IFMT, kind)]
    for bit in (1 << number for number in range(32)):
        if _CLONE_NEW & bit:
            yield "clone", errno.EPERM, [(0, _MASKED_EQUAL, bit, bit)]
    for request in (_TIOCSTI, _TIOCLINUX):
        yield "ioctl", errno.EPERM, [(1, _MASKED_EQUAL, 0xFFFFFFFF, request)]
    for name in () if sessions else _PRETENDED:
        yield name, 0, []
    yield from _on_sockets(allowed=sockets)


def _on_sockets(*, allowed: bool) -> Iterator[_Rule]:
    if not allowed:
        yield "socket", errno.EACCES, []
        return
    yield "socket", errno.EAFNOSUPPORT, [(0, _GREATER, max(_FAMILIES), 0)]
    for family in set(range(max(_FAMILIES))) - _FAMILIES:
        yield "socket", errno.EAFNOSUPPORT, [(0, _EQUAL, family, 0)]


@cache
def program(*, sockets: bool = True, sessions: bool = True) -> bytes:
    """Return the filter as the kernel takes it (seccomp(2)). Raises `OSError` without libseccomp.

    Where no namespaces do the rest, there are no `sockets`, and no `sessions` or process groups but the first.
    """
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_ALLOW)))
    if not context:
        raise OSError(errno.ENOMEM, "libseccomp makes no filter")

    for name, number, conditions in _rules(sockets=sockets, sessions=sessions):
        call = library.seccomp_syscall_resolve_name(name.encode())
        # -1: this libseccomp is older than the call.
        if call != -1:
            rules = (_Comparison * len(conditions))(*(_Comparison(*condition) for condition in conditions))
            action = ctypes.c_uint32(_ERRNO | number)
            status = library.seccomp_rule_add_array(context, action, call, ctypes.c_uint(len(conditions)), rules)
            # A call that this architecture has not is none to refuse.
            if status not in (0, -errno.EDOM, -errno.EFAULT):
                raise OSError(-status, f"libseccomp takes no rule for {name}")
    with tempfile.TemporaryFile() as stream:
        status = library.seccomp_export_bpf(context, stream.fileno())
        library.seccomp_release(context)
        if status:
            raise OSError(-status, "libseccomp exports no filter")
        stream.seek(0)
        return stream.read()
