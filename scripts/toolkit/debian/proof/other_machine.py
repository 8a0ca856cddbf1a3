"""Another machine, simulated on this one: it differs in all that a package must not depend on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from toolkit.core import console, directories, process
from toolkit.core.errors import UserError

SLEEP = Path(__file__).with_name("other_machine_sleep.c")
#: Another host name, and another order of files: the working directory is empty, and in memory (tmpfs lists the newest
#: file first). Namespaces make that possible for an ordinary user, user_namespaces(7).
_IN_MEMORY = (
    *("unshare", "--map-root-user", "--mount", "--uts"),
    *("sh", "-euc", 'hostname other-machine; mount -t tmpfs tmpfs .; cd "$PWD"; exec "$@"', "sh"),
)
_OTHER_USER = ("unshare", "--map-user=4321", "--map-group=4321")
_DAYS_LATER = 400
_CLOCK = "faketime/libfaketimeMT.so.1"
#: Variables of the first build, whoever runs it: its time zone is as far from the second one's as can be.
HERE = {"TZ": "Etc/GMT+12"}


@cache
def is_allowed() -> bool:
    """Tell whether the kernel allows namespaces; warn where it does not."""
    try:
        process.read([*_IN_MEMORY, *_OTHER_USER, "true"], cwd=tempfile.gettempdir())
    except UserError:
        console.warn("this kernel allows no namespaces: user, host name and order of files are the same in both builds")
        return False
    return True


def has_clock() -> bool:
    """Tell whether faketime is installed, which moves the clock."""
    return any(Path("/usr/lib").glob(f"*/{_CLOCK}"))


def varied() -> list[str]:
    """Return the differences of the other machine, in words."""
    namespaces = ["user", "host name", "order of files"] if is_allowed() else []
    clock = [f"date ({_DAYS_LATER} days later)"] if has_clock() else []
    return ["path", "time zone", "locale", "umask", "cores", *namespaces, *clock, "no git repository around it"]


@contextmanager
def environment(base: Mapping[str, str], tree: Path) -> Iterator[dict[str, str]]:
    """Yield the variables of a build in `tree` on the other machine, derived from `base`. Raises `UserError`."""
    user = {"USER": "somebody", "LOGNAME": "somebody"}
    # Whoever unpacks a source package has no repository around it: a build must not find the project's.
    git = {"GIT_CEILING_DIRECTORIES": str(tree.parent)}
    # LD_PRELOAD takes no spaces in a path, ld.so(8); there are none in that of temporary files.
    with directories.temporary(Path(tempfile.gettempdir()), "python-common-other-machine-") as directory:
        clock = _moved_clock(directory) if has_clock() else {}
        yield {**base, "TZ": "Etc/GMT-14", **user, **git, **clock}


def _moved_clock(directory: Path) -> dict[str, str]:
    process.run(["cc", "-shared", "-fPIC", "-o", directory / "sleep.so", SLEEP])
    return {
        # The loader replaces $LIB by the architecture's directory, ld.so(8).
        "LD_PRELOAD": f"{directory}/sleep.so /usr/$LIB/{_CLOCK}",
        "FAKETIME": f"+{_DAYS_LATER}d",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # A build has to read back the times of files that it has set.
        "NO_FAKE_STAT": "1",
    }


def other_locale(known: Sequence[str]) -> str:
    """Return a locale that sorts, counts or speaks differently, if this machine has one."""
    plain = ("C", "POSIX", "C.")
    return next((name for name in known if not name.startswith(plain) and not name.startswith("en")), "POSIX")


def command(words: Sequence[str], original: Path) -> list[str]:
    """Return the command that runs words on the other machine, in an empty directory that shows a copy of `original`.

    The files that it writes beside the directory are seen from here.
    """
    in_memory, as_other_user = (_IN_MEMORY, _OTHER_USER) if is_allowed() else ((), ())
    copy = ("sh", "-euc", 'cp --archive "$0/." .; umask 077; exec "$@"', str(original))
    one_core = ("taskset", "--cpu-list", str(min(os.sched_getaffinity(0))))
    # All processes are started with one locale; this comes after it.
    locale = other_locale(process.read(["locale", "-a"]).split())
    return [*in_memory, *copy, *as_other_user, *one_core, "env", f"LC_ALL={locale}", f"LANG={locale}", *words]
