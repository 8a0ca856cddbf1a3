"""Opening source archives (tar, tar.gz, tar.bz2, tar.xz, zip) without trusting what they hold.

The rules are those of the `data` filter of PEP 706, which the tarfile of Debian 12 lacks, and two more: limits on what
comes out of an archive, counted as it comes out, and no writing below a symbolic link.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from toolkit.archives import archive_limits
from toolkit.archives.archive_limits import UnreadableError
from toolkit.archives.archive_members import Member, members, reading
from toolkit.core.errors import UserError
from toolkit.core.system_errors import naming

_READ_LIMIT = 8 << 20
_SOURCES = frozenset({".py", ".cfg", ".toml", ".json", ".ini"})
_ASIDE = frozenset({"tests", "test", "testing", "docs", "doc", "examples", "benchmarks"})
_CHUNK, _HEAD = 1 << 18, 1 << 16
#: As on Linux (path_resolution(7)).
_MOST_LINKS = 40
#: Of all links of an archive together.
_MOST_STEPS = 1_000_000
#: Returns what reads the beginning of the file of a path, or nothing.
Reader = Callable[[str], Callable[[bytes], Any] | None]
_TWICE = "it stands there twice, with different contents, so that one reader sees what another does not"
#: Debian's archive tools and zip (so wheels too) cannot name an earlier time, nor zip a later one.
_OLDEST, NEWEST = 315532800, 4354819198


def extract(archive: Path, directory: Path) -> Path:
    """Unpack an archive into an existing empty directory and return its single top directory.

    Returns `directory` itself when the archive is flat. Files become 0644 or 0755, directories 0755. Two members
    of one name have to be the same. Raises `UserError` for a damaged archive and for any member that leads outside.
    """
    extraction = _extracted(archive, directory)
    return directory / extraction.top


def check(archive: Path) -> None:
    """See that an archive could be unpacked. Raises as `extract` does, for the same reasons."""
    _extracted(archive, None)


def read_members(archive: Path, names: Collection[str]) -> dict[str, bytes]:
    """Return those of the named files that the archive holds below its top directory; all of it is checked, as above.

    Names are relative to the top directory, or to the root of a flat archive. Raises `UserError` for a file of more
    than 8 MiB, too.
    """
    return dict(survey(archive, names).named)


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What one pass over an archive has found: the `named` files, what was made of other ones, and all `paths`.

    `words` are those of the words looked for that stand in its sources. `top` is the name of the single directory that
    holds everything, empty where there is none.
    """

    named: Mapping[str, bytes]
    read: Mapping[str, Any]
    paths: frozenset[str]
    words: frozenset[bytes]
    top: str


def _nothing(_: str) -> None:
    """Read no file."""


def survey(archive: Path, names: Collection[str], reader: Reader = _nothing, words: Collection[bytes] = ()) -> Survey:
    """Return the named files, as `read_members` does, and what a reader makes of the beginning of each other file.

    `reader` returns what reads the file of a path, the first 64 KiB of it, or nothing. `words` are looked for in the
    Python sources and settings of the archive, those of tests and docs aside.
    """
    extraction = _extracted(archive, None, frozenset(names), reader, words)

    def below(found: Mapping[PurePosixPath, Any]) -> dict[str, Any]:
        top = f"{extraction.top}/" if extraction.top.parts else ""
        return {str(path).removeprefix(top): found[path] for path in found if str(path).startswith(top)}

    named = {name: content for name, content in below(extraction.kept).items() if name in names}
    return Survey(
        named=named,
        read=below(extraction.read),
        paths=frozenset(below(extraction.paths)),
        words=frozenset(extraction.words),
        top=str(extraction.top) if extraction.top.parts else "",
    )


def _extracted(
    archive: Path,
    directory: Path | None,
    names: Collection[str] = (),
    reader: Reader = _nothing,
    words: Collection[bytes] = (),
) -> _Extraction:
    extraction = _Extraction(archive, directory, names, reader, words)
    with _reported(archive):
        for member in members(archive):
            extraction.add(member)
        extraction.make_links()
    return extraction


def names(archive: Path) -> list[str]:
    """Return the path of every file and link below the top directory, in the archive's order."""
    tops: dict[str, bool] = {}
    paths: list[PurePosixPath] = []
    with _reported(archive):
        for member in members(archive):
            _note_top(tops, member)
            if member.kind != "directory":
                paths.append(member.path)
    nested = _is_nested(tops)
    # A dictionary, because the same name may come twice.
    return list(dict.fromkeys(_below(path) if nested else str(path) for path in paths))


def _note_top(tops: dict[str, bool], member: Member) -> None:
    """Keep the first part of a member's path and whether it is a directory."""
    # macOS adds `._name` beside each file that has extended attributes, the top directory included.
    if member.path.parts and not member.path.parts[0].startswith("._"):
        top = member.path.parts[0]
        tops[top] = tops.get(top, False) or len(member.path.parts) > 1 or member.kind == "directory"


def _is_nested(tops: dict[str, bool]) -> bool:
    return len(tops) == 1 and all(tops.values())


def _below(path: PurePosixPath) -> str:
    return "/".join(path.parts[1:])


@contextmanager
def _reported(archive: Path) -> Iterator[None]:
    """Turn what is wrong with an archive into an error that names it."""
    try:
        with reading():
            yield
    except UnreadableError as error:
        raise UserError(
            f"{archive}: {error}",
            "do not use it: choose another version of the distribution, or restore from git what was sound",
        ) from None


class _Extraction:
    """One archive being unpacked, or only checked as if it were: without a directory nothing is written.

    `kept` are the contents of files that have one of the `names`, below the top directory or at the root; `read` is
    what was made of those that `reader` reads. Symbolic links are made last: nothing is ever written through one.
    """

    def __init__(
        self, archive: Path, directory: Path | None, names: Collection[str], reader: Reader, words: Collection[bytes]
    ) -> None:
        self._directory, self._names, self._reader = directory, names, reader
        self.kept: dict[PurePosixPath, bytes] = {}
        self.read: dict[PurePosixPath, Any] = {}
        self.words: set[bytes] = set()
        self._wanted = set(words)
        self._digests: dict[PurePosixPath, bytes] = {}
        self._directories: set[PurePosixPath] = {PurePosixPath()}
        self._links: dict[PurePosixPath, str] = {}
        self._tops: dict[str, bool] = {}
        self._steps = 0
        self._left = archive_limits.unpacked(archive.stat().st_size)

    def add(self, member: Member) -> None:
        """Unpack one member."""
        _note_top(self._tops, member)
        match member.kind:
            case "file":
                self._write(member)
            case "directory":
                self._make_directory(member, member.path)
            case "symlink":
                self._remember_link(member)
            case "hardlink":
                self._link_file(member)

    def make_links(self) -> None:
        """Make the symbolic links, once it is seen that none leads out, through another link either."""
        for path in self._links:
            self._follow(path)
        if self._directory:
            for path, target in self._links.items():
                os.symlink(target, self._directory / path)

    @property
    def paths(self) -> Mapping[PurePosixPath, object]:
        """Return all files and links."""
        return {**self._digests, **self._links}

    @property
    def top(self) -> PurePosixPath:
        """Return the directory that holds everything."""
        return PurePosixPath(next(iter(self._tops))) if _is_nested(self._tops) else PurePosixPath()

    def _follow(self, link: PurePosixPath) -> None:
        """Raise `UnreadableError` for a link that leads out, or to another one without end."""
        reached: list[str] = []
        left, followed = list(reversed(link.parts)), 0
        while left:
            part = left.pop()
            self._steps += 1
            if part == "..":
                if not reached:
                    raise UnreadableError(f"{link}: a link out of the archive")
                reached.pop()
            elif part != ".":
                reached.append(part)
            if target := self._links.get(PurePosixPath(*reached)):
                followed += 1
                if followed > _MOST_LINKS or self._steps > _MOST_STEPS:
                    raise UnreadableError(f"{link}: a link to another one, and so on without end")
                reached.pop()
                left += reversed(PurePosixPath(target).parts)

    def _make_directory(self, member: Member, path: PurePosixPath) -> None:
        if path in self._directories:
            return
        self._make_directory(member, path.parent)
        if len(self._directories) > archive_limits.DIRECTORIES:
            raise UnreadableError(f"more than {archive_limits.DIRECTORIES} directories")
        if path in self._digests or path in self._links:
            raise UnreadableError(f"{member.path}: below `{path}`, which is not a directory")
        if self._directory:
            os.mkdir(self._directory / path, 0o755)
            os.chmod(self._directory / path, 0o755)
        self._directories.add(path)

    def _make_way(self, member: Member) -> None:
        """Make the directory of a member that is neither there nor a directory."""
        self._make_directory(member, member.path.parent)
        if member.path in self._directories:
            raise UnreadableError(f"{member.path}: also a directory")
        if member.path in self._digests or member.path in self._links:
            raise UnreadableError(f"{member.path}: {_TWICE}")

    def _write(self, member: Member) -> None:
        """Write a file, but for the second member of its name, which has to be the same: some tools pack one twice."""
        path = member.path
        known = self._digests.get(path)
        if known is None:
            self._make_way(member)
        is_kept = bool(self._names) and (str(path) in self._names or _below(path) in self._names)
        is_searched = bool(self._wanted) and path.suffix in _SOURCES and _ASIDE.isdisjoint(path.parts)
        read = self._reader(str(path))
        digest, pieces, size = hashlib.sha256(), list[bytes](), 0
        longest = _READ_LIMIT if is_kept or is_searched else _HEAD if read else 0
        with self._output(member, is_new=known is None) as output:
            for chunk in self._counted(member):
                digest.update(chunk)
                if output:
                    output.write(chunk)
                if size < longest:
                    pieces.append(chunk)
                size += len(chunk)
        if known not in (None, digest.digest()):
            raise UnreadableError(f"{path}: {_TWICE}")
        self._digests[path] = digest.digest()
        content = b"".join(pieces)
        if read:
            self.read[path] = read(content[:_HEAD])
        if is_kept:
            if size > _READ_LIMIT:
                raise UnreadableError(f"{path}: more than {_READ_LIMIT >> 20} MiB")
            self.kept[path] = content
        self.words |= {word for word in self._wanted if is_searched and word in content}

    def _counted(self, member: Member) -> Iterator[bytes]:
        for chunk in member.chunks():
            self._left -= len(chunk)
            if self._left < 0:
                raise UnreadableError(f"{member.path}: unpacks to far more than the archive's size")
            yield chunk

    @contextmanager
    def _output(self, member: Member, *, is_new: bool) -> Iterator[IO[bytes] | None]:
        """Give the block the file to write; none where nothing is to be written."""
        if not self._directory or not is_new:
            yield None
            return
        target = self._directory / member.path
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with naming(target), os.fdopen(descriptor, "wb") as output:
            yield output
            os.fchmod(descriptor, 0o755 if member.executable else 0o644)
        time = min(max(member.mtime, _OLDEST), NEWEST)
        os.utime(target, (time, time))

    def _remember_link(self, member: Member) -> None:
        if self._links.get(member.path) == member.target:
            return
        self._make_way(member)
        self._links[member.path] = member.target

    def _link_file(self, member: Member) -> None:
        source = PurePosixPath(member.target)
        if source not in self._digests:
            raise UnreadableError(f"{member.path}: a hard link to `{member.target}`, which is no file before it")
        if source != member.path:
            self._make_way(member)
            if self._directory:
                os.link(self._directory / source, self._directory / member.path)
            self._digests[member.path] = self._digests[source]
