"""`make reproducible SUITES=`: packages that stand in dist/<suite>/, built again from their source and compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from toolkit.build.building_options import OPTIONAL
from toolkit.core import console, files, process
from toolkit.core.errors import UserError
from toolkit.debian import buildinfo, chroot, sbuild, source_package, suites
from toolkit.debian.buildinfo import Buildinfo
from toolkit.debian.compression import Compression
from toolkit.debian.proof import other_machine, reproducible
from toolkit.project import debian_control
from toolkit.project.settings import Settings

_SHOWN = 10
_BUILD = "build them: `make sbuild SUITES=...`"
_REPLACED = "what was published is not what was built: put that back, or build a new version"


@dataclass(frozen=True, kw_only=True)
class RebuildOptions:
    """The suites whose packages are built again, and how, as in `SbuildOptions`; a build has one process."""

    suites: tuple[str, ...]
    mirror: str
    max_age: int
    compression: Compression


def build(settings: Settings, options: RebuildOptions) -> Iterator[tuple[str, dict[str, str]]]:
    """Build the packages of one suite after the other again; yield the suite and the SHA-256 of each file.

    Raises `UserError` when dist/ has not what a build left there, when a build fails, or when it makes other packages;
    a report is then in dist/.
    """
    shipped = {suite: read(suite, settings.dist) for suite in options.suites}
    for suite, first in shipped.items():
        with files.exclusive_and_empty(settings.build / "reproducible", "comparison of builds"):
            yield suite, _build_again(suite, first, settings, options)


def read(suite: str, dist: Path) -> Buildinfo:
    """Return how a suite's packages were built. Raises `UserError` where they are not those that were."""
    suites.require_name(suite)
    directory = dist / suite
    found = sorted(directory.glob("*.buildinfo"))
    if not found:
        raise UserError(f"{directory}: no packages to build again", _BUILD)
    if len(found) > 1:
        raise UserError(f"{directory}: several builds: {', '.join(path.name for path in found)}", "keep one of them")
    made = buildinfo.read(found[0])
    dsc = directory / made.dsc
    if not dsc.is_file():
        raise UserError(f"{dsc}: there is none, though {found[0].name} tells of its build", _BUILD)
    _check(directory, made.sha256, found[0].name)
    _check(directory, {name: sha256 for sha256, _, name in map(str.split, source_package.checksums(dsc))}, dsc.name)
    unknown = {path.name for path in directory.glob("*.deb")} - made.sha256.keys()
    if unknown:
        names = ", ".join(sorted(unknown))
        raise UserError(f"{directory}: {names}: of another build than {found[0].name} tells of", _REPLACED)
    return made


def _check(directory: Path, sums: Mapping[str, str], origin: str) -> None:
    for name, sha256 in sums.items():
        path = directory / name
        if not path.is_file():
            raise UserError(f"{path}: there is none, though {origin} names it", _BUILD)
        if files.sha256(path) != sha256:
            raise UserError(f"{path}: not the file that {origin} names: its SHA-256 is another", _REPLACED)


def _build_again(suite: str, shipped: Buildinfo, settings: Settings, options: RebuildOptions) -> dict[str, str]:
    directory = shipped.path.parent
    source = settings.build / "reproducible" / "source"
    process.run(["dpkg-source", "--extract", directory / shipped.dsc, source])
    recipe = replace(
        chroot.recipe(debian_control.read(source / "debian"), suite, options.mirror),
        profiles=chroot.profiles(
            shipped.environment.get("DEB_BUILD_PROFILES", ""), f"{shipped.path}: DEB_BUILD_PROFILES"
        ),
    )
    clean = chroot.provide(recipe, settings, options.max_age)
    words = shipped.environment.get("DEB_BUILD_OPTIONS", "").split()
    # sbuild sets this one by the number of processes.
    chosen = " ".join(word for word in words if not word.startswith("parallel="))
    work = sbuild.PackageBuild(
        dsc=directory / shipped.dsc,
        recipe=recipe,
        jobs=1,
        compression=options.compression,
        # One that does not compile this time is a difference.
        extensions=OPTIONAL,
        entry=shipped.entry,
        variables={**other_machine.IN_CHROOT, "DEB_BUILD_OPTIONS": chosen},
        prefix=other_machine.prefix(),
    )
    console.step(
        "REBUILD", f"{shipped.dsc}, for {suite}; what is different: {', '.join(other_machine.VARIED_IN_CHROOT)}"
    )
    with sbuild.built(work, clean, settings, "REBUILD") as built:
        again = [buildinfo.read(path) for path in built if path.suffix == ".buildinfo"]
        other = other_tools(shipped, again[0]) if again else []
        first, second = (
            [path for path in sorted(paths) if path.suffix == ".deb"] for paths in (directory.iterdir(), built)
        )
        sums = reproducible.compare(first, second, settings.dist / "reproducible" / suite, shown(other))
    if other:
        console.note("\n".join([f"{suite}: the same bytes, though with", *shown(other)]))
    return sums


def other_tools(one: Buildinfo, two: Buildinfo) -> list[str]:
    """Return the build dependencies that are not the same in two builds, with both versions."""
    names = sorted(one.installed.keys() | two.installed.keys())
    return [
        f"{name} {one.installed.get(name, '(none)')} -> {two.installed.get(name, '(none)')}"
        for name in names
        if one.installed.get(name) != two.installed.get(name)
    ]


def shown(other: Sequence[str]) -> list[str]:
    """Return lines that say which build dependencies had other versions."""
    if not other:
        return []
    rest = [f"and {len(other) - _SHOWN} more"] if len(other) > _SHOWN else []
    heading = "build dependencies of other versions (snapshot.debian.org has those of a day, for MIRROR=):"
    return [heading, *(f"  {line}" for line in [*other[:_SHOWN], *rest])]
