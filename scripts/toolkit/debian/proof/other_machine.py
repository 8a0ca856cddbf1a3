"""Another machine, simulated on this one: it differs in all that a package must not depend on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from toolkit.core import console, directories, process
from toolkit.core.errors import UserError
from toolkit.debian.proof import machine_files

PRELOADED = Path(__file__).with_name("other_machine.c")
#: Namespaces allow an ordinary user what follows, user_namespaces(7).
_NAMESPACES = ("unshare", "--map-root-user", "--mount", "--uts", "sh", "-euc")
#: Another host name, and another order of files: the working directory is empty, and in memory (tmpfs lists the newest
#: file first).
_IN_MEMORY = 'hostname other-machine; mount -t tmpfs tmpfs .; cd "$PWD"; exec "$@"'
#: The kernel allows a new /proc, which the sandbox has, where all of another can be seen, whatever covers the files of
#: /proc itself (mnt_already_visible in https://github.com/torvalds/linux/blob/master/fs/namespace.c).
_WHOLE_PROC = "whole-proc"
_OTHER_USER = ("unshare", "--map-user=4321", "--map-group=4321")
#: A kernel of 2.6.60 or later, to programs of any kind; and its version, to those that ask the C library.
_OTHER_KERNEL = ("setarch", "--uname-2.6")
_KERNEL_VERSION = "#26 SMP Sun Jan  1 00:00:00 UTC 2012"
_DAYS_LATER = 400
_CLOCK = "faketime/libfaketimeMT.so.1"
#: Variables of the first build, whoever runs it: its time zone is as far from the second one's as can be.
HERE, _TIME_ZONE = {"TZ": "Etc/GMT+12"}, "Etc/GMT-14"
#: What is different in a clean chroot, which has a user, a host name and paths of its own, always the same.
IN_CHROOT = {"TZ": _TIME_ZONE, "LC_ALL": "POSIX"}
VARIED_IN_CHROOT = ("date", "time zone", "locale", "cores", "kernel release")


@dataclass(frozen=True, kw_only=True)
class OtherMachine:
    """A machine whose programs have these `variables`; `directory` has the files that make it another one."""

    variables: Mapping[str, str]
    directory: Path

    def command(self, words: Sequence[str], original: Path) -> list[str]:
        """Return the command that runs words there, in an empty directory that shows a copy of `original`.

        The files that it writes beside the directory are seen from here.
        """
        namespaces, as_other_user = (_namespaces(self.directory), _OTHER_USER) if is_allowed() else ((), ())
        copy = ("sh", "-euc", 'cp --archive "$0/." .; umask 077; exec "$@"', str(original))
        # All processes are started with one locale; this comes after it.
        locale = other_locale(process.read(["locale", "-a"]).split())
        variables = ("env", f"LC_ALL={locale}", f"LANG={locale}")
        return [*namespaces, *copy, *as_other_user, *prefix(), *variables, *words]


@contextmanager
def simulated(base: Mapping[str, str], tree: Path) -> Iterator[OtherMachine]:
    """Yield the other machine, for a build in `tree` whose variables here are those of `base`. Raises `UserError`."""
    user = {"USER": "somebody", "LOGNAME": "somebody"}
    # Whoever unpacks a source package has no repository around it: a build must not find the project's.
    git = {"GIT_CEILING_DIRECTORIES": str(tree.parent)}
    with _files() as directory:
        libraries = [_library(directory)]
        clock = {}
        if has_clock():
            # The loader replaces $LIB by the architecture's directory, ld.so(8).
            libraries.append(f"/usr/$LIB/{_CLOCK}")
            clock = {
                "FAKETIME": f"+{_DAYS_LATER}d",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                # Else its test for a fault of old C libraries takes 50 ms of each thread, and ends waits at once.
                "FAKETIME_FORCE_MONOTONIC_FIX": "0",
                # A build has to read back the times of files that it has set.
                "NO_FAKE_STAT": "1",
            }
        preloaded = {"LD_PRELOAD": " ".join(libraries)}
        yield OtherMachine(
            variables={**base, "TZ": _TIME_ZONE, **user, **git, **clock, **preloaded}, directory=directory
        )


@contextmanager
def _files() -> Iterator[Path]:
    """Make a directory with what /proc and /sys tell on the other machine, at the same paths."""
    # LD_PRELOAD takes no spaces in a path, ld.so(8); there are none in that of temporary files.
    with directories.temporary(Path(tempfile.gettempdir()), "python-common-other-machine-") as directory:
        (directory / _WHOLE_PROC).mkdir()
        for path, text in _texts().items():
            target = Path(f"{directory}{path}")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        yield directory


def _texts() -> dict[str, str]:
    release = process.read([*_OTHER_KERNEL, "uname", "--kernel-release"]).strip()
    return machine_files.texts(release, _KERNEL_VERSION)


def _library(directory: Path) -> str:
    library = directory / "other_machine.so"
    process.run(["cc", "-shared", "-fPIC", f'-DVERSION="{_KERNEL_VERSION}"', "-o", library, PRELOADED])
    library.chmod(0o644)
    return str(library)


def _namespaces(directory: Path) -> tuple[str, ...]:
    """Return the command prefix for a machine with the files of `directory`."""
    covered = [f'mount --bind "$0{path}" {path}' for path in _texts()]
    return (*_NAMESPACES, "; ".join([f'mount --bind /proc "$0/{_WHOLE_PROC}"', *covered, _IN_MEMORY]), str(directory))


def prefix() -> tuple[str, ...]:
    """Return the command prefix that runs a program on one core, and as if by another kernel."""
    return ("taskset", "--cpu-list", str(min(os.sched_getaffinity(0))), *_OTHER_KERNEL)


@cache
def is_allowed() -> bool:
    """Tell whether the kernel allows namespaces; warn where it does not."""
    try:
        with _files() as directory:
            process.read([*_namespaces(directory), *_OTHER_USER, "true"], cwd=tempfile.gettempdir())
    except UserError:
        console.warn(
            "this kernel allows no namespaces: user, host name, file system, order of files, and what /proc and /sys "
            "tell are the same in both builds"
        )
        return False
    return True


def has_clock() -> bool:
    """Tell whether faketime is installed, which moves the clock."""
    return any(Path("/usr/lib").glob(f"*/{_CLOCK}"))


def varied(here: Path) -> list[str]:
    """Return the differences of the other machine from a build in the directory `here`, in words."""
    namespaces = []
    if is_allowed():
        is_in_memory = process.read(["stat", "--file-system", "--format=%T", here]).strip() == "tmpfs"
        namespaces = ["user", "host name", *([] if is_in_memory else ["file system"]), "order of files"]
        namespaces.append("processors in /proc and /sys")
    clock = [f"date ({_DAYS_LATER} days later)"] if has_clock() else []
    always = ["path", "time zone", "locale", "umask", "cores", "kernel release and version"]
    return [*always, *namespaces, *clock, "no git repository around it"]


def other_locale(known: Sequence[str]) -> str:
    """Return a locale that sorts, counts or speaks differently, if this machine has one."""
    plain = ("C", "POSIX", "C.")
    return next((name for name in known if not name.startswith(plain) and not name.startswith("en")), "POSIX")
