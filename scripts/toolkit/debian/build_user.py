"""The user that makes chroots and builds in them, with a range of subordinate user ids; and their directory.

That is the user who runs the toolkit, or, for root, the system user `sbuild`: mmdebstrap and sbuild map the users of a
chroot to ids that belong to an ordinary user, subuid(5).
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from toolkit.core import debian_packages, directories, process
from toolkit.core.errors import UserError

#: The user for root. Debian's package of that name makes it.
SYSTEM_USER = "sbuild"
SUBUID, SUBGID = Path("/etc/subuid"), Path("/etc/subgid")
_SIZE, _FIRST = 65536, 100000
_PREFIX = "python-common-"
_PROGRAMS = ("mmdebstrap", "sbuild", "newuidmap", "zstd")
#: That of root in Debian, whatever the caller's is.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user with a range of subordinate ids; `is_other` when it is not the one who runs the toolkit."""

    name: str
    uid: int
    gid: int
    is_other: bool

    def command(self, words: Sequence[str]) -> list[str]:
        """Return the command that runs another one as this user, and ends it when the toolkit is killed."""
        switch = ["--reuid", str(self.uid), "--regid", str(self.gid), "--init-groups"] if self.is_other else []
        return ["setpriv", *switch, "--pdeathsig", "TERM", "--", *words]

    def environment(self, home: Path) -> dict[str, str]:
        """Return the environment of this user's commands, without the caller's settings except for proxies."""
        return {
            **proxies(),
            "PATH": PATH,
            "HOME": str(home),
            "TMPDIR": str(home),
            "USER": self.name,
            "LOGNAME": self.name,
        }


def proxies() -> dict[str, str]:
    """Return the variables of this environment that name proxies."""
    return {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}


def account() -> Account:
    """Return the user to work as. Raises `UserError` if the user, their range of ids or a program is missing."""
    debian_packages.require("chroots need", *_PROGRAMS, path=PATH)
    is_root = os.geteuid() == 0
    try:
        entry = pwd.getpwnam(SYSTEM_USER) if is_root else pwd.getpwuid(os.geteuid())
    except KeyError:
        raise UserError(
            f"there is no user {SYSTEM_USER}, as whom root makes chroots and builds in them",
            "run `make setup`, which makes it",
        ) from None
    if not has_ranges(entry.pw_name):
        raise UserError(
            f"{entry.pw_name} has no range of ids in {SUBUID} and {SUBGID}, which chroots need",
            f"run `make setup`, or as root: {' '.join(range_command(entry.pw_name))}",
        )
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, is_other=is_root)


def has_ranges(name: str) -> bool:
    """Tell whether a user has ranges of both user and group ids."""
    return all(any(line.startswith(f"{name}:") for line in _lines(path)) for path in (SUBUID, SUBGID))


def range_command(name: str) -> list[str]:
    """Return the command that gives a user a range of ids that no other user has."""
    first = max([_FIRST, *(_end(line) for path in (SUBUID, SUBGID) for line in _lines(path))])
    ids = f"{first}-{first + _SIZE - 1}"
    return ["usermod", "--add-subuids", ids, "--add-subgids", ids, name]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _end(line: str) -> int:
    """Return the first id after a range, `name:first:count`."""
    _, first, count = [*line.split(":"), "", ""][:3]
    return int(first) + int(count) if first.isdecimal() and count.isdecimal() else 0


@contextmanager
def workspace(user: Account) -> Iterator[Path]:
    """Make a directory of this user's, below $TMPDIR or /var/tmp, for the block.

    It cannot be below a private home, since the users of a chroot have to enter it. Those of runs that were killed are
    removed afterwards, too: what such a run has started goes on until its output reaches nobody.
    """
    parent = Path(os.environ.get("TMPDIR") or "/var/tmp").resolve()
    remove = partial(_remove, user=user)
    try:
        with directories.temporary(parent, _PREFIX, remove, {user.uid}) as path:
            path.chmod(0o755)
            if user.is_other:
                os.chown(path, user.uid, user.gid)
            yield path
    finally:
        directories.sweep(parent, _PREFIX, remove, {user.uid})


def no_space(output: str, what: str) -> UserError | None:
    """Return the error `what` if a command in a workspace failed because that is full, as its output shows."""
    if "No space left on device" not in output:
        return None
    return UserError(what, "free some, or name a directory that has more: TMPDIR=/other/directory")


def _remove(path: Path, user: Account) -> None:
    """Remove a directory with files that belong to the ids of a chroot, even while another run removes it too."""
    # Where AppArmor bars namespaces (Ubuntu 24.04), it has an exception for this program, and for unshare(1) none.
    mapped = ["mmdebstrap", "--unshare-helper"]
    for prefix in [[]] if user.is_other else [mapped, []]:
        with suppress(UserError):
            process.read([*prefix, "rm", "-rf", "--", *map(str, path.iterdir())])
    with suppress(OSError):
        path.rmdir()
