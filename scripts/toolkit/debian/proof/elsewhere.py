"""Another machine, played on this one: all that a package must not depend on, made different for one build."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from toolkit.core import console, process
from toolkit.core.errors import UserError

RUNNER = Path(__file__).with_name("elsewhere_runner.py")
SLEEP = Path(__file__).with_name("elsewhere_sleep.c")
_TOLD = {"hostname": "elsewhere", "user": 4321, "umask": 0o077}
_DAYS_LATER = 400
_CLOCK = "faketime/libfaketimeMT.so.1"
#: What even the first build has as its own, whoever runs it.
HERE = {"TZ": "Etc/GMT+12"}


@cache
def is_allowed() -> bool:
    """Tell whether the kernel lets us have namespaces; it warns where not."""
    try:
        process.read([sys.executable, "-I", RUNNER, json.dumps(_TOLD), "true"])
    except UserError:
        console.warn("this kernel allows no namespaces: user, host name and order of files are the same in both builds")
        return False
    return True


def has_clock() -> bool:
    """Tell whether faketime is installed, which moves the clock."""
    return any(Path("/usr/lib").glob(f"*/{_CLOCK}"))


def varied() -> list[str]:
    """Return what is different elsewhere, in words."""
    namespaces = ["user", "host name", "order of files"] if is_allowed() else []
    clock = [f"date ({_DAYS_LATER} days later)"] if has_clock() else []
    return ["path", "time zone", "locale", "umask", "cores", *namespaces, *clock, "no git repository around it"]


@contextmanager
def environment(base: Mapping[str, str], tree: Path) -> Iterator[dict[str, str]]:
    """Give the variables of a build elsewhere, in `tree`, made of those of one here. Raises `UserError`."""
    who = {"USER": "somebody", "LOGNAME": "somebody"}
    # A source package is unpacked where there is no repository: a build must not look for the project's.
    alone = {"GIT_CEILING_DIRECTORIES": str(tree.parent)}
    # The loader of programs takes no spaces in a path; there are none in that of temporary files.
    with tempfile.TemporaryDirectory(prefix="elsewhere-") as directory:
        clock = _moved_clock(Path(directory)) if has_clock() else {}
        yield {**base, "TZ": "Etc/GMT-14", **who, **alone, **clock}


def _moved_clock(directory: Path) -> dict[str, str]:
    process.run(["cc", "-shared", "-fPIC", "-o", directory / "sleep.so", SLEEP])
    return {
        # The loader puts the architecture's directory in the place of $LIB, ld.so(8).
        "LD_PRELOAD": f"{directory}/sleep.so /usr/$LIB/{_CLOCK}",
        "FAKETIME": f"+{_DAYS_LATER}d",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # What a build sets as a file's time has to be what it finds there.
        "NO_FAKE_STAT": "1",
    }


def other_locale(known: Sequence[str]) -> str:
    """Return a locale that sorts, counts or speaks differently, if this machine has one."""
    plain = ("C", "POSIX", "C.")
    return next((name for name in known if not name.startswith(plain) and not name.startswith("en")), "POSIX")


def command(words: Sequence[str], tree: Path, original: Path) -> list[str]:
    """Return the command that runs another elsewhere, in `tree`: an empty directory, where it finds `original`.

    Results that it writes beside `tree` are seen from here.
    """
    # Whatever starts processes here gives them one locale; this comes after it.
    locale = other_locale(process.read(["locale", "-a"]).split())
    words = ["env", f"LC_ALL={locale}", f"LANG={locale}", *words]
    if not is_allowed():
        # The rest of it needs nobody's leave.
        shell = f'cp -a "$1/." . && shift && umask {_TOLD["umask"]:03o} && exec taskset --cpu-list 0 "$@"'
        return ["sh", "-c", shell, "sh", os.fspath(original), *words]
    told = {**_TOLD, "tree": str(tree), "original": str(original)}
    return [sys.executable, "-I", str(RUNNER), json.dumps(told), *words]
