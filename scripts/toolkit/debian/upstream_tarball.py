"""The upstream tarball of a `3.0 (quilt)` source: the published one, else one that each Debian revision makes the same.

An archive has one file of a name, so a second revision (1.0-2) has to bring the tarball of the first (dpkg-source(1)).
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from toolkit.core import files
from toolkit.core.errors import UserError
from toolkit.project.debian_control import Control

#: What dpkg-source takes.
_NAME = r"{name}_{version}\.orig\.tar\.(gz|bz2|xz|lzma)"
_SIGNATURE = ".asc"
_CHUNK = 1 << 20


def place(control: Control, tree: Path, project: Path, dist: Path) -> None:
    """Put the tarball of a tree beside it; debian/ is not in it.

    Where this upstream version was published, its tarball lies beside the project, as dpkg-source and origtargz(1) have
    it, or in dist/. Raises `UserError` where the tree is not what that holds.
    """
    for path in _published(control, [project.parent, *sorted(dist.glob("*/")), dist]):
        differing = list(_differences(path, tree))
        # What has this very version is what is made anew: nobody else needs to have it.
        if differing and path.parent != project.parent and path.with_name(control.dsc).is_file():
            continue
        if differing:
            more = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
            remove = "" if path.parent == project.parent else f"; remove {path} if it was never published"
            raise UserError(
                f"{path}: the project is not what this tarball holds of {control.upstream_version}: "
                f"{differing[0]}{more}",
                f"raise the upstream version in debian/changelog: an archive takes one tarball for each{remove}",
            )
        for each in (path, path.with_name(path.name + _SIGNATURE)):
            if each.is_file():
                files.link_or_copy(each, tree.parent / each.name)
        return
    write(control, tree)


def write(control: Control, tree: Path) -> None:
    """Write `<source>_<version>.orig.tar.gz` beside a tree: the same bytes for the same files.

    Every file is as old as the first entry of the changelog that has this upstream version.
    """
    epoch = control.changelog.upstream_since()
    top = control.tree

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if member.name == f"{top}/debian":
            return None
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = epoch
        return member

    with (
        (tree.parent / f"{control.name}_{control.upstream_version}.orig.tar.gz").open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        archive.add(tree, top, filter=anonymous)


def _published(control: Control, places: Iterable[Path]) -> Iterator[Path]:
    """Yield the tarballs that there are of this upstream version."""
    name = re.compile(_NAME.format(name=re.escape(control.name), version=re.escape(control.upstream_version)))
    for place in places:
        yield from sorted(path for path in place.glob(f"{control.name}_*.orig.tar.*") if name.fullmatch(path.name))


def _differences(tarball: Path, tree: Path) -> Iterator[str]:
    """Yield what is otherwise in a tree than in a tarball, each path with how."""
    try:
        published = dict(_members(tarball))
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError, LookupError) as error:
        raise UserError(f"{tarball}: not a sound tarball: {error}", "fetch it again, such as by `origtargz`") from None
    own = dict(_files(tree))
    for path in sorted(published.keys() | own.keys()):
        if path not in own:
            yield f"{path} is in the tarball alone"
        elif path not in published:
            yield f"{path} is in the project alone"
        elif own[path] != published[path]:
            yield f"{path} differs"


def _members(tarball: Path) -> Iterator[tuple[str, tuple[bool, str]]]:
    """Yield the files and links of a tarball: the path, whether it runs, and its content.

    Of a single top directory nothing is seen, as little as dpkg-source does; nor of a debian/, which does not count.
    """
    with tarfile.open(tarball) as archive:
        members = {member.name.removeprefix("./").rstrip("/"): member for member in archive}
        tops = {name.partition("/")[0] for name in members if name not in ("", ".")}
        top = f"{next(iter(tops))}/" if len(tops) == 1 else ""
        for name, member in members.items():
            path = name.removeprefix(top)
            if path.partition("/")[0] == "debian":
                continue
            content = archive.extractfile(member) if member.isfile() or member.islnk() else None
            if content:
                digest = hashlib.sha256()
                while chunk := content.read(_CHUNK):
                    digest.update(chunk)
                yield path, (bool(member.mode & 0o100), digest.hexdigest())
            elif member.issym():
                yield path, (True, f"-> {member.linkname}")


def _files(tree: Path) -> Iterator[tuple[str, tuple[bool, str]]]:
    for directory, directories, names in os.walk(tree):
        if Path(directory) == tree:
            directories.remove("debian")
        for path in (Path(directory, name) for name in (*directories, *names)):
            shown = path.relative_to(tree).as_posix()
            if path.is_symlink():
                yield shown, (True, f"-> {os.readlink(path)}")
            elif path.is_file():
                yield shown, (os.access(path, os.X_OK), files.sha256(path))
