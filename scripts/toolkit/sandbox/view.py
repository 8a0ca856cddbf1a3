"""What a confined program finds of this machine, and the command that starts it there."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.core import places
from toolkit.core.errors import UserError

#: The directory of all that is made for a program; its environment, and its home; and who it is.
ROOT = "/build"
ENVIRONMENT, HOME, TEMPORARY = f"{ROOT}/environment", f"{ROOT}/home", "/tmp"
USER = "builder"
#: What compilers and interpreters read of /etc, and /opt. No credentials are in these.
SYSTEM = (
    *("/opt", "/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime"),
    *("/etc/os-release", "/etc/debian_version", "/etc/lsb-release", "/etc/mime.types", "/etc/protocols"),
    *("/etc/services", "/etc/locale.alias", "/etc/perl", "/etc/fonts", "/etc/java", "/etc/texmf", "/etc/xml"),
    *("/etc/sgml", "/etc/dpkg/origins", "/etc/dpkg/buildflags.conf", "/etc/ssl/openssl.cnf", "/etc/ssl/certs"),
    "/etc/ca-certificates",
)
#: Links into /usr, or directories of their own.
MERGED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")


def system() -> list[str]:
    """Return those files and directories of `SYSTEM` that are there, and Debian's settings of interpreters."""
    return [*filter(os.path.exists, SYSTEM), *sorted(map(str, Path("/etc").glob("python3*")))]


def private(*more: Path) -> tuple[Path, ...]:
    """Return the directories of which nothing is seen inside, wherever they are: `more`, homes, caches, and the like.

    A home may be in /opt, a project in /usr/src.
    """
    homes = [os.path.expanduser("~")]
    with suppress(KeyError):
        homes.append(pwd.getpwuid(os.geteuid()).pw_dir)
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    found = [*map(str, more), data, *homes]
    with suppress(UserError):
        found.append(str(places.cache_root()))
    real = dict.fromkeys(os.path.realpath(path) for path in found if os.path.isabs(path))
    # The root is the home of who has none.
    return tuple(Path(path) for path in real if path != "/")


def without(path: str, hidden: Iterable[Path]) -> Iterator[str]:
    """Yield what there is of a directory without what is hidden: the directory itself where nothing in it is."""
    real = Path(os.path.realpath(path))
    within = [each for each in hidden if each.is_relative_to(real)]
    if not within:
        yield path
    elif real not in within:
        with os.scandir(path) as entries:
            for entry in entries:
                # What a link leads to is there where it is, or not at all.
                if not entry.is_symlink():
                    yield from without(entry.path, within)


@dataclass(frozen=True, kw_only=True)
class View:
    """What a program finds inside: directories and files of this machine, by the path that each has there.

    `writable` may be changed by it and belongs to it. `temporary` is /tmp and /var/tmp.
    """

    temporary: Path
    writable: Mapping[str, Path] = field(default_factory=dict)
    readable: Mapping[str, Path] = field(default_factory=dict)

    @property
    def own(self) -> tuple[Path, ...]:
        """Return the directories that the program may write to."""
        return (self.temporary, *self.writable.values())


@dataclass(frozen=True, kw_only=True)
class Wrapped:
    """A command in its walls: its words, all of its environment, where it is started, what it inherits."""

    words: Sequence[str]
    environment: Mapping[str, str]
    directory: str | None = None
    descriptors: tuple[int, ...] = ()

    def wait(self) -> None:
        """Wait, after the command's end, until nothing that was inside is left."""


def in_memory(content: bytes) -> int:
    """Return a descriptor from which a program reads this."""
    descriptor = os.memfd_create("sandbox")
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
