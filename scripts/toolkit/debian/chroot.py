"""Clean chroots of a suite with the build dependencies of a project: tarballs in the cache, used for some days."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

from toolkit.core import console, directories, documents, files, os_release, process, progress
from toolkit.core.documents import Table
from toolkit.core.errors import UserError
from toolkit.debian import apt_sources, build_user, suites
from toolkit.debian.apt_sources import Source
from toolkit.debian.build_user import Account
from toolkit.project import debian_control
from toolkit.project.debian_control import Control
from toolkit.project.settings import Settings, default_of, number

_DAY = 24 * 60 * 60
#: How mmdebstrap announces the steps that take long.
_STEP = re.compile(r"I: (running apt-get update|downloading packages|extracting archives|installing|creating tarball)")
_UNMET = re.compile(
    r"(?:Depends|Build-Depends): (\S+(?: \([^)]*\))?)(?: but it is not|$)|Unable to locate package (\S+)", re.MULTILINE
)


@dataclass(frozen=True, kw_only=True)
class _Stamp:
    """What stands beside a chroot: when it was made, in seconds since 1970, and the release of its system."""

    created: int
    sha256: str
    release: str


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A chroot to be made: a suite from `sources`, lines of sources.list, and what fields of debian/control name.

    `packages` are in it besides. `variant` is one of mmdebstrap's: `buildd` to build in, `minbase` to install into.
    `profiles` are those of the build, which decide what of the fields counts.
    """

    suite: str
    architecture: str
    sources: tuple[str, ...]
    depends: Mapping[str, str] = field(default_factory=dict)
    variant: str = "buildd"
    profiles: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the name of its tarball, by everything that decides what is in it."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
        return f"{self.suite}-{self.architecture}-{digest[:12]}"

    @property
    def mirror(self) -> str:
        """Return the URI of its first source."""
        return next(apt_sources.one_line(self.sources[0])).uri

    @property
    def control(self) -> str:
        """Return a debian/control with these dependencies, for `apt-get build-dep`."""
        relations = "".join(f"{name}: {value}\n" for name, value in self.depends.items())
        return (
            f"Source: chroot\nMaintainer: Nobody <nobody@localhost>\n{relations}\n"
            "Package: chroot\nArchitecture: any\nDescription: nothing\n"
        )


@dataclass(frozen=True, kw_only=True)
class Chroot:
    """A finished chroot: its tarball, and the suite and release number (`12`; empty for one that has none) in it."""

    path: Path
    suite: str
    release: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of every verb that uses chroots."""
    group = parser.add_argument_group("chroot options")
    group.add_argument("--mirror", default="", help="where packages come from: a URI, or a line of sources.list")
    group.add_argument(
        "--max-age",
        type=number("CHROOT_MAX_AGE", "a number of days", 30, least=0),
        default=default_of("CHROOT_MAX_AGE"),
        metavar="DAYS",
        help="how old a chroot may be (default: %(default)s)",
    )


def recipe(packaging: Control | None, suite: str, mirror: str = "") -> Recipe:
    """Return the recipe of a chroot to build a project in; without a packaging, in which the toolkit can build.

    `mirror` replaces the archives that this machine's own packages come from. Raises `UserError`.
    """
    depends = dict(packaging.relations) if packaging else {"Build-Depends": ", ".join(debian_control.BUILD_DEPENDS)}
    if packaging and packaging.needs_root:
        # sbuild brings it where it resolves dependencies itself.
        depends["Build-Depends"] = ", ".join(filter(None, (depends.get("Build-Depends"), "fakeroot")))
    asked = profiles(os.environ.get("DEB_BUILD_PROFILES", ""), "DEB_BUILD_PROFILES")
    return replace(minimal(suite, mirror), variant="buildd", depends=depends, profiles=asked)


def profiles(text: str, origin: str) -> tuple[str, ...]:
    """Return the build profiles in the value of DEB_BUILD_PROFILES, wherever it is from.

    They go into a hook of mmdebstrap, which a shell runs. Raises `UserError` for what can be none.
    """
    words = text.split()
    for word in words:
        # https://wiki.debian.org/BuildProfileSpec
        if not re.fullmatch(r"[a-z0-9][a-z0-9.+_-]*", word):
            raise UserError(f"{origin}: no profile: {word}", "name them with blanks between: nocheck nodoc")
    return tuple(sorted(set(words)))


def minimal(suite: str, mirror: str = "", packages: Iterable[str] = ()) -> Recipe:
    """Return the recipe of a minimal system, with these packages, to install into."""
    suites.require_name(suite)
    architecture = process.read(["dpkg", "--print-architecture"]).strip()
    sources = tuple(source.line for source in _sources(suite, mirror))
    return Recipe(suite=suite, architecture=architecture, sources=sources, variant="minbase", packages=tuple(packages))


def _sources(suite: str, mirror: str) -> tuple[Source, ...]:
    own, theirs = suites.own(), suites.distribution(suite)
    if theirs and suites.distribution(own) not in (theirs, ""):
        return apt_sources.of_other(mirror, suite, theirs)
    of_machine = partial(
        apt_sources.for_suite, apt_sources.read(), own=own, distribution=os_release.read().get("ID", "")
    )
    if not mirror:
        return of_machine(suite)
    try:
        components = next(source.components for source in of_machine(own) if source.suite == own)
    except UserError:
        components = ("main",)
    return apt_sources.at_mirror(mirror, suite, components)


def provide(recipe: Recipe, settings: Settings, max_age: int) -> Chroot:
    """Return a chroot that is not older than `max_age` days; it is made if there is none, or only a damaged one.

    A new one replaces the old when it is complete. Raises `UserError`.
    """
    user = build_user.account()
    directory = files.cache_root() / "chroots"
    tarball = directory / f"{recipe.name}.tar.zst"
    with files.exclusive(directory, "chroot build"):
        stamp = _read_stamp(tarball)
        if not stamp or not _is_usable(tarball, stamp, max_age):
            stamp = _make(recipe, settings, user, tarball)
            _remove_old(directory, max_age)
    return Chroot(path=tarball, suite=recipe.suite, release=stamp.release)


def _read_stamp(tarball: Path) -> _Stamp | None:
    try:
        data = Table(documents.json_value(_stamp_of(tarball).read_bytes()))
        return _Stamp(created=data.number("created"), sha256=data.text("sha256"), release=data.text("release"))
    except (OSError, ValueError):
        return None


def _stamp_of(tarball: Path) -> Path:
    return tarball.with_name(f"{tarball.name}.json")


def _is_usable(tarball: Path, stamp: _Stamp, max_age: int) -> bool:
    days = (time.time() - stamp.created) / _DAY
    if not tarball.is_file():
        return False
    if not 0 <= days < max_age:
        console.step("CHROOT", f"{tarball.name} is {days:.0f} days old")
        return False
    if files.sha256(tarball) != stamp.sha256:
        console.warn(f"{tarball} is damaged, so it is made again")
        return False
    console.debug(f"{tarball} is {days:.1f} days old")
    return True


def _make(recipe: Recipe, settings: Settings, user: Account, tarball: Path) -> _Stamp:
    start = time.monotonic()
    console.step("CHROOT", f"{recipe.suite} {recipe.architecture}, from {recipe.mirror}")
    with directories.temporary(tarball.parent, ".chroot-") as staged, build_user.workspace(user) as base:
        (base / "control").write_text(recipe.control, encoding="utf-8")
        (base / "control").chmod(0o644)
        bootstrap(command(recipe, base), recipe, user, base, settings.build / "logs" / f"chroot-{recipe.suite}.log")
        shutil.move(base / "chroot.tar.zst", staged / tarball.name)
        if user.is_other:
            os.chown(staged / tarball.name, os.geteuid(), os.getegid())
        (staged / tarball.name).chmod(0o644)
        system = os_release.parse((base / "os-release").read_text(encoding="utf-8"))
        stamp = _Stamp(
            created=int(time.time()), sha256=files.sha256(staged / tarball.name), release=system.get("VERSION_ID", "")
        )
        os.replace(staged / tarball.name, tarball)
        files.write_atomic(_stamp_of(tarball), json.dumps({**asdict(recipe), **asdict(stamp)}, indent=1))
    size = tarball.stat().st_size / 1e6
    console.step("CHROOT", f"{tarball.name}, {size:.0f} MB ({time.monotonic() - start:.0f} s)")
    return stamp


def bootstrap(words: Sequence[str], recipe: Recipe, user: Account, base: Path, log: Path, tag: str = "CHROOT") -> None:
    """Run mmdebstrap as `user` in `base`: its steps are shown under `tag`, its output is kept in `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with progress.watching(tag, f"mmdebstrap {recipe.suite}", lambda line: _show_step(line, tag)) as watch:
            output = process.run(user.command(words), cwd=base, env=user.environment(base), watch=watch)
    except process.CommandError as error:
        files.write_atomic(log, error.output)
        raise explain(error, recipe, log) from error
    if output:  # V=2 has shown it
        files.write_atomic(log, output)


def command(recipe: Recipe, base: Path) -> list[str]:
    """Return the command that writes the tarball to a directory, which holds `control`."""
    inside = "/tmp/dependencies"
    profiles = f" --build-profiles={','.join(recipe.profiles)}" if recipe.profiles else ""
    building = [
        f'mkdir -p "$1{inside}/debian"',
        f"upload {base}/control {inside}/debian/control",
        f'chroot "$1" apt-get --yes --no-install-recommends build-dep{profiles} {inside}',
        f'rm -r "$1{inside}"',
    ]
    hooks = [*(building if recipe.depends else []), f"download /etc/os-release {base}/os-release"]
    return [
        "mmdebstrap",
        "--mode=unshare",
        f"--variant={recipe.variant}",
        f"--architectures={recipe.architecture}",
        *([f"--include={','.join(recipe.packages)}"] if recipe.packages else []),
        # With apt's lists kept, builds in the chroot need not update them.
        "--skip=cleanup/apt/lists",
        *(f"--aptopt={option}" for option in apt_sources.options()),
        # Chroots are thrown away: dpkg, then and later, does not wait until each file is on the disk.
        "--dpkgopt=force-unsafe-io",
        *(f"--customize-hook={hook}" for hook in hooks),
        recipe.suite,
        f"{base}/chroot.tar.zst",
        *recipe.sources,
    ]


def _show_step(line: str, tag: str) -> None:
    found = _STEP.match(line)
    if found:
        console.step(tag, f"  {line.removeprefix('I: ').rstrip('.')}")


def explain(error: process.CommandError, recipe: Recipe, log: Path) -> UserError:
    """Return the error that the complaints of apt and mmdebstrap mean for the user."""
    output, mirror = error.output, recipe.mirror
    if re.search(r"does not have a Release file|404 +Not Found.*InRelease", output):
        missing = re.search(r"The repository '(\S+) (\S+) Release' does not", output)
        where, suite = missing.groups() if missing else (mirror, recipe.suite)
        return UserError(f"{where} has no suite {suite}", suites.hint(recipe.suite))
    unmet = [first or second for first, second in _UNMET.findall(output)]
    if unmet:
        is_level = any(map(debian_control.COMPAT.fullmatch, unmet))
        return UserError(
            f"{recipe.suite} lacks build dependencies of debian/control: {', '.join(unmet)}",
            debian_control.LOWER_COMPAT
            if is_level
            else "look up their names in that suite, or give an alternative: `one | other`",
        )
    if full := build_user.no_space(output, f"{recipe.suite}: no space left for the chroot"):
        return full
    if re.search(r"NO_PUBKEY|is not signed|couldn't be verified", output):
        distribution = suites.distribution(recipe.suite) or "debian"
        package = {"debian": "debian-archive-keyring", "ubuntu": "ubuntu-keyring"}[distribution]
        return UserError(
            f"{mirror}: this machine does not have the key of {recipe.suite}",
            f"its file is {apt_sources.KEYRINGS[distribution]}, of {distribution.title()}'s package {package}; "
            "or MIRROR='deb [signed-by=/the/key.gpg] URI suite main'",
            output,
        )
    if apt_sources.UNREACHED.search(output):
        return UserError(f"{mirror}: not reached", "check the network, or name another mirror: MIRROR=", output)
    return UserError(f"the chroot of {recipe.suite} could not be made", f"the whole output is in {log}", output)


def _remove_old(directory: Path, max_age: int) -> None:
    """Remove outdated chroots of other recipes, which nobody has refreshed."""
    limit = time.time() - max(max_age, 7) * _DAY
    for tarball in directory.glob("*.tar.zst"):
        if tarball.stat().st_mtime < limit:
            console.debug(f"removing {tarball}")
            tarball.unlink()
            _stamp_of(tarball).unlink(missing_ok=True)
