"""Compare `vendor/` with its locks, and the locks with what they were made from: offline, with the standard library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.archives import archive
from toolkit.core import directories, files, threads
from toolkit.core.errors import UserError
from toolkit.crates import crate_file
from toolkit.model.lock import Lock, VendoredFile
from toolkit.project import build_settings, patches, submodules
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.requirements import fingerprints
from toolkit.sources import patching
from toolkit.vendored import local_versions, lock_file

_RENEW = "run `make vendor`: it keeps the locked versions where they still satisfy the requirements"
_RESTORE = "restore it (`git -C vendor checkout -- .`), or run `make vendor`"
#: Files of vendor/ that are its repository's own.
_OWN = frozenset({".git", ".gitignore", ".gitattributes"})


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is not as locked: what is wrong and where, and what to do."""

    what: str
    hint: str


def problems(project: Project, settings: Settings, *, hashes: bool = True) -> list[Problem]:
    """Return everything that is wrong, none when the lock can be built from; `hashes=False` trusts names and sizes."""
    if submodules.is_empty(settings.vendor):
        return [Problem(what="vendor/: there is nothing in it", hint="run `make vendor`")]
    locks, found = _read_locks(project, settings)
    complete = not found
    stale = _stale(project, locks)
    found += stale
    for owner in locks:
        found += _local(project, owner)
        # Where the file is not what it was, that has been said.
        found += () if stale else _settings(project, owner)
    listed = {name: file for owner in locks for name, file in owner.vendored_files().items()}
    if complete:
        found += _patches(project, locks)
    found += _disagreements(locks)
    found += _compare(settings.vendor, listed, hashes)
    if complete:
        found += _unlisted(project, settings, listed)
    return found


def is_current(project: Project, settings: Settings, platforms: tuple[str, ...]) -> bool:
    """Tell whether the locks are what `make vendor` would make for these platforms, as far as files here tell it."""
    if not settings.vendor.is_dir() or problems(project, settings):
        return False
    expected = fingerprints.of_settings(platforms)
    # A lock without direct requirements is from before locks held who requires whom.
    return all(
        lock.direct is not None
        and expected.items() <= lock.inputs.items()
        and not fingerprints.variable_changes(lock.inputs, unset=True)
        for lock in lock_file.of_project(project, settings.vendor)
    )


def require_variables(locks: Iterable[Lock]) -> None:
    """Raise `UserError` for variables of requirements that are not set any more.

    No build needs them, and in a clean chroot nobody has set them; but nothing shows that the locks are what
    `make vendor` would make.
    """
    gone: dict[str, list[str]] = {}
    for lock in locks:
        for name in fingerprints.variable_changes(lock.inputs, unset=True):
            gone.setdefault(name, []).append(f"vendor/pylock.{lock.service}.toml")
    refuse(
        [
            Problem(
                what=f"the variable {name} is not set, but was when {', '.join(names)} {_were(names)} made",
                hint=f"set it as it was then: requirements have `${{{name}}}` in them",
            )
            for name, names in gone.items()
        ]
    )


def require(project: Project, settings: Settings, *, hashes: bool = True) -> None:
    """Raise `UserError` with everything that is wrong; see `refuse`."""
    refuse(problems(project, settings, hashes=hashes))


def open_archives(locks: Sequence[Lock], vendor: Path, project: Path) -> None:
    """See that every archive of a vendor/ that is as its locks say can be unpacked, and patched. Raises `UserError`."""
    every = (item for lock in locks for item in lock.distributions() if item.kind != "wheels")
    paths = {vendor / file.name for item in every for file in item.files}
    threads.each(archive.check, sorted(paths, key=lambda path: -path.stat().st_size))
    crates = {vendor / crate.file.name: crate for lock in locks for crate in lock.crates if crate.file}
    threads.each(lambda pair: crate_file.check(*pair), sorted(crates.items(), key=lambda pair: -pair[0].stat().st_size))
    changed = {(item.files[0].name, item.patches) for lock in locks for item in lock.distributions() if item.patches}
    for name, changes in sorted(changed, key=lambda pair: pair[0]):
        with directories.scratch("patched-") as scratch:
            patching.extract(vendor / name, scratch, patching.of_project(changes, project))


def refuse(found: Sequence[Problem]) -> None:
    """Raise `UserError` with the first problem, the number of others, and those in the details; none: do nothing."""
    if found:
        first, *others = found
        more = f" (and {len(others)} more, above)" if others else ""
        details = "\n".join(f"{other.what}\n hint: {other.hint}" for other in others)
        raise UserError(f"{first.what}{more}", first.hint, details)


def _read_locks(project: Project, settings: Settings) -> tuple[list[Lock], list[Problem]]:
    locks, found = [], []
    for package in project.locked:
        path = lock_file.path_of(settings.vendor, project.lock_name(package))
        try:
            locks.append(lock_file.read(path))
        except UserError as error:
            found.append(Problem(what=error.what.replace(f"{project.root}/", ""), hint=error.hint))
    return locks, found


def _stale(project: Project, locks: list[Lock]) -> list[Problem]:
    """Return each input that is not what it was, with the locks that were made from it."""
    stale: dict[str, list[str]] = {}
    for owner in locks:
        for name, change in fingerprints.changes(owner.inputs, project.root).items():
            stale.setdefault(f"{name}: {change}", []).append(f"vendor/pylock.{owner.service}.toml")
        for name in fingerprints.variable_changes(owner.inputs, unset=False):
            event = f"the variable {name}, which requirements name: changed"
            stale.setdefault(event, []).append(f"vendor/pylock.{owner.service}.toml")
    return [
        Problem(what=f"{event} since {', '.join(names)} {_were(names)} made", hint=_RENEW)
        for event, names in stale.items()
    ]


def _were(names: Sequence[str]) -> str:
    return "were" if len(names) > 1 else "was"


def _local(project: Project, owner: Lock) -> Iterator[Problem]:
    name = f"vendor/pylock.{owner.service}.toml"
    for item in owner.local:
        package = project.find(item.name)
        if package is None or project.shown(package.path) != item.path:
            where = f"it is in {project.shown(package.path)}/" if package else "there is no such package"
            yield Problem(what=f"{name}: the local package {item.name} was in {item.path}/, now {where}", hint=_RENEW)
    for distribution in owner.packages:
        for text in distribution.requires:
            if fault := local_versions.fault(project, distribution, text):
                yield Problem(what=f"{name}: {fault.what}", hint=fault.hint)
    for distribution in owner.distributions():
        package = project.find(distribution.name)
        if package:
            yield Problem(
                what=f"{name}: {distribution.name} is locked as a package of the index, "
                f"but {project.shown(package.path)}/ is the package of that name",
                hint="run `make vendor`: a local package is never taken from the index",
            )


def _settings(project: Project, owner: Lock) -> Iterator[Problem]:
    """Compare how a lock has things built with what its files say: neither may be edited alone."""
    paths = [project.root / name for name in owner.inputs if name.rpartition("/")[2] == build_settings.FILE]
    said = build_settings.together(table for path in paths for table in build_settings.read(path, project.root))
    built = [(item.key, item.settings) for item in owner.distributions() if item.kind != "wheels"]
    for name, settings in (*built, *((item.name, item.settings) for item in owner.local)):
        if settings != build_settings.of_key(said, name):
            what = f"vendor/pylock.{owner.service}.toml: {name} has other settings than in {build_settings.FILE}"
            yield Problem(what=what, hint=_RENEW)


def _patches(project: Project, locks: Sequence[Lock]) -> Iterator[Problem]:
    """Compare the patches that locks have with those that there are."""
    there = patches.read(project.root)
    changed: dict[str, list[str]] = {}
    for owner in locks:
        name = f"vendor/pylock.{owner.service}.toml"
        for item in owner.distributions():
            now = there.of_key(item.key) if item.kind != "wheels" else ()
            for patch in sorted({*item.patches} ^ {*now}, key=lambda patch: patch.path):
                changed.setdefault(patch.path, []).append(name)
            if set(now) == set(item.patches) and now != item.patches:
                changed.setdefault(f"{patches.DIRECTORY}/{item.name}/{patches.SERIES}", []).append(name)
    for path, names in changed.items():
        once = list(dict.fromkeys(names))
        what = f"{path}: changed, added or removed since {', '.join(once)} {_were(once)} made"
        yield Problem(what=what, hint=_RENEW)
    for directory, reason in patches.unused(there, locks).items():
        yield Problem(what=f"{directory}/: {reason}", hint=patches.UNUSED)


def _disagreements(locks: list[Lock]) -> Iterator[Problem]:
    seen: dict[str, tuple[str, str]] = {}
    for owner in locks:
        for file in owner.vendored_files().values():
            service, digest = seen.setdefault(file.name, (owner.service, file.sha256))
            if digest != file.sha256:
                what = f"vendor/{file.name}: pylock.{service}.toml and pylock.{owner.service}.toml want different files"
                yield Problem(what=what, hint="run `make vendor`")


def _compare(vendor: Path, listed: Mapping[str, VendoredFile], hashes: bool) -> Iterator[Problem]:
    # Hashing releases the interpreter's lock, so threads use every core; the largest come first.
    work = sorted(listed.values(), key=lambda file: -file.size)
    results = threads.each(lambda file: _fault(vendor / file.name, file, hashes), work)
    for file, fault in sorted(zip(work, results, strict=True), key=lambda pair: pair[0].name):
        if fault:
            yield Problem(what=f"vendor/{file.name}: {fault}", hint=_RESTORE)


def _fault(path: Path, file: VendoredFile, hashes: bool) -> str:
    """Return what is wrong with one vendored file, an empty string when nothing is."""
    if path.is_symlink() or not path.is_file():
        return "not a regular file" if path.is_symlink() or path.exists() else "missing"
    size = path.stat().st_size
    if size != file.size:
        return f"has {size} bytes, the lock says {file.size}"
    if hashes and (digest := files.sha256(path)) != file.sha256:
        return f"its sha256 is {digest}, the lock says {file.sha256}"
    return ""


def _unlisted(project: Project, settings: Settings, listed: Iterable[str]) -> Iterator[Problem]:
    vendor, hint = settings.vendor, "run `make vendor`"
    if settings.services or settings.packages:
        hint = f"SERVICES= and PACKAGES= say which there are, for {hint}, too; SERVICE= tests or lints one of them"
    locks = {lock_file.path_of(vendor, project.lock_name(package)).name for package in project.locked}
    for name in sorted({entry.name for entry in vendor.iterdir()} - {*listed, *locks, *_OWN}):
        if name.startswith("pylock.") and name.endswith(".toml"):
            yield Problem(what=f"vendor/{name}: no service of this project has this lock", hint=hint)
        elif not name.startswith("README"):
            yield Problem(what=f"vendor/{name}: no lock lists it", hint="remove it, or run `make vendor`, which does")
