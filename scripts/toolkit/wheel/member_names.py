"""Names of a wheel's members: which file each becomes, and what no wheel needs to say with a name.

https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping

from toolkit.archives import archive_limits
from toolkit.core.foreign_text import quoted

_DRIVE = re.compile(r"[A-Za-z]:")
#: Control characters, surrogates, ends of lines; and what turns the direction of text (https://trojansource.codes).
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: What makes a directory a virtual environment, an interpreter run in it, and a shell enter it; what the toolkit and
#: virtualenvwrapper (which runs the hooks in bin/) know it by.
_OWN = re.compile(
    r"pyvenv\.cfg|bin/python[0-9.]*t?|bin/(pre|post)?(de)?activate(_this)?(\.\w+)?|\.project|\.python-common\.json"
    r"|lib/(python[0-9.]+t?/site-packages/)?(_virtualenv\.(py|pth)|_python_common\.pth)"
)
_OWN_DIRECTORIES = re.compile(r"bin|include|lib|lib/python[0-9.]+t?(/site-packages)?")
#: What tells which distributions there are: of each its own, and nobody else's.
_METADATA = re.compile(r"[^/]*\.(dist|egg)-info(/|$)")
_METADATA_AS_DATA = re.compile(rf"(.*/)?(site|dist)-packages/{_METADATA.pattern}")
#: What Python or a shell runs when somebody asks for it by name, so that it matters which of two files it is.
_RUN = (".py", ".pyc", ".so", ".pyd", ".pth", ".dll", ".dylib", ".exe")


class HostileError(Exception):
    """A wheel that is made to do harm, or looks like it: what it would do."""


def check(name: str) -> None:
    """Raise `HostileError` for a member's name that leads anywhere but into the environment, or hides what it is."""
    parts = name.removesuffix("/").split("/")
    if name.startswith("/") or ".." in parts or _DRIVE.match(name):
        raise HostileError(f"{quoted(name)} leads out of the environment")
    if "\\" in name:
        raise HostileError(f"{quoted(name)} has a backslash, and leads elsewhere on Windows")
    if any(unicodedata.category(c) in _UNSEEN or c in _TURNING for c in name):
        raise HostileError(f"{quoted(name)} has characters that nobody sees in its name")
    if not all(part not in ("", ".") for part in parts):
        raise HostileError(f"{quoted(name)} has an empty part in its name")
    longest = max(len(part.encode()) for part in parts)
    if longest > archive_limits.LONGEST_INSTALLED or len(name.encode()) > archive_limits.LONGEST_NAME:
        raise HostileError(f"{quoted(name)} has a name that is too long for a file")


def check_files(names: Collection[str]) -> None:
    """Raise `HostileError` where a file replaces the environment's own, another one, or the directory of one.

    Names are relative to the environment. Files count as one where macOS or Windows has them for one, which do not tell
    upper case from lower, nor ways to write a letter with an accent; of those only such as are run, since there
    are real wheels with data that only Linux can tell apart.
    """
    exact, folded = set(names), dict[str, str]()
    for name in names:
        other = folded.setdefault(fold(name), name)
        if other != name and (_is_run(name) or _is_run(other)):
            raise HostileError(f"{quoted(name)} and {quoted(other)} are one file on other systems")
    above = directories(names)
    for name in (*names, *above):
        if _OWN.fullmatch(fold(name)) or (name in exact and _OWN_DIRECTORIES.fullmatch(fold(name))):
            raise HostileError(f"{quoted(name)} replaces the environment's own")
    if len(above) > archive_limits.DIRECTORIES:
        raise HostileError(f"it has more than {archive_limits.DIRECTORIES} directories")
    for directory, name in above.items():
        file = directory if directory in exact else folded.get(fold(directory), "")
        if file and (file == directory or _is_run(file)):
            raise HostileError(f"{quoted(name)} lies below a file, {quoted(file)}")


def directories(names: Iterable[str]) -> dict[str, str]:
    """Return every directory of the files, each with a file that is in it; of too many, some more than there may be."""
    found: dict[str, str] = {}
    for name in names:
        if len(found) > archive_limits.DIRECTORIES:
            break
        directory = name.rpartition("/")[0]
        while directory and directory not in found:
            found[directory] = name
            directory = directory.rpartition("/")[0]
    return found


def fold(name: str) -> str:
    """Return a name as file systems compare it that do not tell upper case from lower."""
    seen = "".join(c for c in name if unicodedata.category(c) != "Cf") if not name.isascii() else name
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", seen).casefold())


def _is_run(name: str) -> bool:
    return name.lower().endswith(_RUN) or fold(name).startswith("bin/") or ".dist-info/" in fold(name)


def target(name: str, data: str, schemes: Mapping[str, str]) -> str:
    """Return the file that a member becomes, relative to the environment; `data` is the directory of other schemes.

    `schemes` are the directories of the installation schemes. Raises `HostileError` where there is none of that name.
    """
    top, _, rest = name.partition("/")
    scheme, path = "purelib", name
    if top == data and rest:
        scheme, _, path = rest.partition("/")
        if scheme not in schemes or not path:
            raise HostileError(f"{quoted(name)}: there is no installation scheme {quoted(scheme)}")
    form = _METADATA if scheme in ("purelib", "platlib") else _METADATA_AS_DATA
    if form.match(fold(path)) and top != f"{data.removesuffix('.data')}.dist-info":
        raise HostileError(f"{quoted(name)} is metadata of another distribution")
    return f"{schemes[scheme]}/{path}".lstrip("/")
