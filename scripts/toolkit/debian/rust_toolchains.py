"""The Rust that a suite has, by Build-Depends, and what of a lock needs a newer one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache

from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.debian import suites
from toolkit.model import semver
from toolkit.model.lock import Distribution, Lock

#: Versions of rustc, by suite and the package of its cargo, in all of its archives: security and updates are there.
#: Looked up by `apt-cache madison` on this day; apt is asked for this machine's own suite.
LOOKED_UP = "2026-11-27"
_VERSIONS: Mapping[str, Mapping[str, str]] = {
    "bookworm": {"cargo": "1.63.0", "cargo-web": "1.96.0"},
    "trixie": {"cargo": "1.85.1", "cargo-web": "1.96.0"},
    "forky": {"cargo": "1.97.1"},
    "jammy": {"cargo": "1.75.0"},
    "noble": {"cargo": "1.75.0"},
}
_RUSTC = {"rustc": "cargo", "rustc-web": "cargo-web"}
_CANDIDATE = re.compile(r"^(\S+):\n  Installed: .*\n  Candidate: (?:\d+:)?(\d+\.\d+(?:\.\d+)?)", re.MULTILINE)


def too_old(locks: Iterable[Lock], declared: Collection[str], names: Iterable[str]) -> Iterator[str]:
    """Yield a text for each of the suites `names` whose Rust does not compile all of these locks, and what to do.

    `declared` are the packages of Build-Depends; where they have no cargo, `cargo-web | cargo` is meant.
    """
    built = {item.key: item for lock in locks for item in lock.distributions() if item.rust_version}
    # apt takes a second to tell.
    for suite in dict.fromkeys(names) if built else ():
        versions = _versions(suite)
        name = _best(versions, declared)
        if name and (lacking := _newer(built.values(), versions[name])):
            yield _text(suite, name, versions[name], lacking, versions)


def oldest(declared: Collection[str], names: Iterable[str]) -> str:
    """Return the version of Rust that all of these suites have, by Build-Depends as above; empty where nobody knows."""
    found = ((versions := _versions(suite)).get(_best(versions, declared), "") for suite in names)
    return min(filter(None, found), key=semver.toolchain, default="")


def _best(versions: Mapping[str, str], declared: Collection[str]) -> str:
    """Return which of a suite's packages is taken, empty where that is not known."""
    packages = {name for name in declared if re.fullmatch(r"cargo(-.+)?|rustup", name)} or {"cargo-web", "cargo"}
    known = [name for name in versions if name in packages]
    # Of others, such as cargo-1.91 or rustup, nothing is known.
    is_known = bool(known) and packages <= set(_RUSTC.values())
    return max(known, key=lambda name: semver.toolchain(versions[name])) if is_known else ""


def _versions(suite: str) -> Mapping[str, str]:
    with suppress(UserError):
        if suite == suites.own() and (found := _of_apt()):
            return found
    return _VERSIONS.get(suite, {})


@cache
def _of_apt() -> Mapping[str, str]:
    """Return what apt would install here, as the table has it. Raises `UserError` where there is no apt."""
    text = process.read(["apt-cache", "policy", *_RUSTC])
    return {_RUSTC[package]: version for package, version in _CANDIDATE.findall(text)}


def _newer(built: Iterable[Distribution], version: str) -> list[Distribution]:
    """Return what needs a newer Rust than this one, the newest first."""
    found = [item for item in built if semver.toolchain(item.rust_version) > semver.toolchain(version)]
    return sorted(found, key=lambda item: (semver.toolchain(item.rust_version), item.key), reverse=True)


def _need(item: Distribution) -> str:
    own = f"{item.name} {item.version}"
    why = "" if item.rust_version_of == own else f", which {item.rust_version_of} asks for"
    return f"{own} ({item.rust_version}{why})"


def _text(suite: str, name: str, version: str, lacking: list[Distribution], versions: Mapping[str, str]) -> str:
    needs = ", ".join(map(_need, lacking))
    age = f", as of {LOOKED_UP}" if versions is _VERSIONS.get(suite) else ""
    better = [other for other in versions if not _newer(lacking, versions[other])]
    if better:
        advice = f"write `{better[0]} | {name}` in the place of `{name}` in Build-Depends"
    else:
        names = ", ".join(sorted(item.name for item in lacking))
        advice = f"take older releases of them, or wheels (in vendor.txt: {names}), or leave {suite} out of SUITES"
    return f"the Rust of {suite} ({name}: {version}{age}) is too old for {needs}\n{advice}"
