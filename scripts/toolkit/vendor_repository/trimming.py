"""A vendor repository with a shorter history: the same commits under the same ids, without those before them.

Git lets a repository lack the parents of commits that its file `shallow` lists (gitrepository-layout(5)) and serves
clones and fetches from it, since 1.9. So nothing is rewritten: the project's commits keep naming revisions that exist.
What the project's branches and tags record becomes tags `kept/<id>`, which a clone gets with the rest.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import directories, files
from toolkit.core.errors import UserError
from toolkit.core.git import Repository

KEPT = "refs/tags/kept/"
_HEADS = "refs/heads/"
#: What a trimmed repository has of its own; all else (configuration, hooks, description) is taken over.
_MADE = frozenset({"objects", "refs", "packed-refs", "shallow", "logs", "FETCH_HEAD", "ORIG_HEAD", "index", "gc.log"})
#: Commits by their ids, which no ref may name; archives do not get smaller by deltas, which take long to look for.
_SERVER = "git -c uploadpack.allowAnySHA1InWant=true -c pack.window=0 upload-pack"
#: What comes is one pack, and nothing else is done with it.
_FETCHING = ("fetch.unpackLimit=1", "gc.auto=0", "protocol.file.allow=always")


@dataclass(frozen=True, kw_only=True)
class Revision:
    """A commit of a history: its parents, and the day it was made (ISO)."""

    parents: tuple[str, ...]
    day: str


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is in a repository: commits, objects of all kinds, bytes on the disk."""

    commits: int
    objects: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Trim:
    """What stays (`refs`, by name, with `commits` behind them, the newest `depth` of each branch) and what goes."""

    source: Repository
    refs: Mapping[str, str]
    before: Mapping[str, str]
    depth: int
    window: frozenset[str]
    commits: frozenset[str]
    dropped: Mapping[str, Revision]
    total: Size
    kept: Size


def plan(source: Repository, revisions: Iterable[str], depth: int) -> Trim:
    """Return how to trim a bare repository so that these revisions stay; nothing is written."""
    before = refs_of(source)
    commits = _revisions(source)
    others = {name: id for name, id in before.items() if not name.startswith(KEPT)}
    refs = {**others, **{f"{KEPT}{id}": id for id in revisions}}
    newest = window(commits, (id for name, id in refs.items() if name.startswith(_HEADS)), depth)
    single = {source.commit_of(id) for name, id in refs.items() if not name.startswith(_HEADS)} - {""}
    stays = frozenset(newest | single)
    total, kept = _sizes(source, len(commits), stays)
    return Trim(
        source=source,
        refs=refs,
        before=before,
        depth=depth,
        window=newest,
        commits=stays,
        dropped={id: commit for id, commit in commits.items() if id not in stays},
        total=total,
        kept=kept,
    )


def _revisions(repository: Repository) -> dict[str, Revision]:
    """Return every commit that a ref of the repository reaches, by id."""
    lines = repository.read("log", "--all", "--format=%H %cs %P").splitlines()
    return {words[0]: Revision(parents=tuple(words[2:]), day=words[1]) for words in map(str.split, lines)}


def window(commits: Mapping[str, Revision], tips: Iterable[str], depth: int) -> frozenset[str]:
    """Return the commits that are at most `depth` deep, the tips being 1: what `git fetch --depth` gets."""
    found: set[str] = set()
    level = [tip for tip in tips if tip in commits]
    for _ in range(depth):
        found.update(level)
        level = [parent for id in level for parent in commits[id].parents if parent in commits and parent not in found]
        level = list(dict.fromkeys(level))
    return frozenset(found)


def refs_of(source: Repository) -> dict[str, str]:
    """Return every ref of a repository with the id of its object."""
    lines = source.read("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ") for line in lines)


def build(found: Trim, target: Path) -> Repository:
    """Make the trimmed repository at `target`, which must not be there, and check that all that stays is in it."""
    source = found.source
    made = Repository(directory=target, name=target.name)
    form = source.read("rev-parse", "--show-object-format")
    source.run("init", "--quiet", "--bare", f"--object-format={form}", str(target))
    _take_over(source.directory, target)
    heads = [name for name in found.refs if name.startswith(_HEADS)]
    known = [name for name in found.refs.keys() - set(heads) if source.commit_of(found.refs[name]) in found.window]
    # One that is in the window already must not be fetched with a depth of 1: it would cut the window.
    _fetch(made, found, heads, f"--depth={found.depth}")
    _fetch(made, found, known)
    _fetch(made, found, [name for name in found.refs if name not in {*heads, *known}], "--depth=1")
    if refs_of(made) != found.refs:
        raise UserError(f"{target.name}: not all that stays came over", "run it again; nothing was replaced")
    made.run("fsck", "--connectivity-only", "--no-dangling", "--no-progress")
    _give(source.directory, target)
    return made


def replace(found: Trim, made: Repository, backup: Path) -> None:
    """Put the trimmed repository in the place of the whole one, which becomes `backup`; both are in one directory.

    Raises `UserError`, and changes nothing, when somebody has pushed meanwhile.
    """
    source = found.source.directory
    _refuse_pushed(found, found.source)
    with directories.put_aside(source, backup):
        _refuse_pushed(found, Repository(directory=backup, name=found.source.name))
        os.rename(made.directory, source)


def _refuse_pushed(found: Trim, now: Repository) -> None:
    if refs_of(now) != found.before:
        raise UserError(f"{found.source.name}: somebody has pushed to it meanwhile", "run it again")


def _fetch(made: Repository, found: Trim, names: Iterable[str], *options: str) -> None:
    specifications = [f"+{found.refs[name]}:{name}" for name in sorted(names)]
    if specifications:
        settings = [word for pair in _FETCHING for word in ("-c", pair)]
        quietly = ["--quiet", "--no-tags", "--no-write-fetch-head", f"--upload-pack={_SERVER}"]
        made.run(*settings, "fetch", *quietly, *options, str(found.source.directory), *specifications)


def _take_over(source: Path, target: Path) -> None:
    for entry in source.iterdir():
        if entry.name in _MADE or entry.name.endswith(".lock"):
            continue
        if entry.is_dir():
            files.remove(target / entry.name)
            shutil.copytree(entry, target / entry.name, symlinks=True)
        else:
            shutil.copy2(entry, target / entry.name, follow_symlinks=False)
    shutil.copymode(source, target)


def _give(source: Path, target: Path) -> None:
    """Have the new repository belong to whom the old one does, as far as this user may."""
    owner = source.stat()
    if os.geteuid() == 0:
        for path in (target, *target.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _sizes(source: Repository, commits: int, stays: frozenset[str]) -> tuple[Size, Size]:
    """Return how much is in the repository, which has so many commits, and how much stays with some of them."""
    listed = source.read("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objectsize:disk)")
    sizes = {name: int(size) for name, size in map(str.split, listed.splitlines())}
    reached = source.read("rev-list", "--objects", "--no-walk", *sorted(stays)).splitlines() if stays else []
    kept = sizes.keys() & {line.partition(" ")[0] for line in reached}
    return (
        Size(commits=commits, objects=len(sizes), bytes=sum(sizes.values())),
        Size(commits=len(stays), objects=len(kept), bytes=sum(sizes[name] for name in kept)),
    )
