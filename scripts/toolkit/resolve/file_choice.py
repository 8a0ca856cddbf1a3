"""From a pin to the files to vendor: its sdist, or the wheels that vendor.txt asks for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from packaging import tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from toolkit.core.errors import UserError
from toolkit.model import markers
from toolkit.model.lock import Distribution, Kind, VendoredFile
from toolkit.model.pins import Pin, RemoteFile
from toolkit.project.vendor_txt import BinaryRule

#: What developers work on: an older C library takes all wheels of these, and a newer one too.
_MACHINES = {
    "linux": ("manylinux_2_28_x86_64", "manylinux_2_28_aarch64"),
    "darwin": ("macosx_13_0_x86_64", "macosx_13_0_arm64"),
}


@dataclass(kw_only=True)
class Selector:
    """Chooses files; `rules` are the binary rules by name, `pythons` the interpreters a rule without one is for.

    What has no sdist and no rule is collected in `without_source`, so that one error names all of it.
    """

    rules: Mapping[str, Sequence[BinaryRule]]
    pythons: tuple[str, ...]
    platforms: tuple[str, ...]
    without_source: dict[str, Pin] = field(default_factory=dict)

    def choose(self, pin: Pin) -> Distribution | None:
        """Return the pin with its files, or None when it has no source (then it is in `without_source`)."""
        if pin.archive:
            return _distribution(pin, "archive", [pin.archive])
        if pin.name in self.rules:
            chosen = {file.name: file for rule in self.rules[pin.name] for file in self._wheels(pin, rule)}
            return _distribution(pin, "wheels", sorted(chosen.values(), key=lambda file: file.name))
        if pin.sdist:
            return replace(_distribution(pin, "sdist", [pin.sdist]), offered=tuple(self._offered(pin)))
        self.without_source[pin.name] = pin
        return None

    def _wheels(self, pin: Pin, rule: BinaryRule) -> Iterator[RemoteFile]:
        for version in rule.python_versions or self._pythons(pin):
            supported = {tag: rank for rank, tag in enumerate(_tags(rule, version))}
            # Of two builds of one wheel, the later.
            ranks = [(_rank(file.name, supported), file) for file in pin.wheels]
            ranked = [(rank, _build_number(file.name), file) for rank, file in ranks if rank is not None]
            if not ranked:
                raise UserError(
                    f"{rule.origin}: {pin.name} {pin.version} has no wheel for Python {version} on "
                    f"{', '.join(rule.platforms) or 'this machine'}",
                    f"there are: {', '.join(file.name for file in pin.wheels) or 'none'}",
                )
            yield min(ranked, key=lambda item: (item[0], [-part for part in item[1]]))[2]

    def _offered(self, pin: Pin) -> Iterator[VendoredFile]:
        """Yield the wheels that development environments may take: for each machine the one that fits the most."""
        chosen: dict[str, RemoteFile] = {}
        for platform in (name for system in self.platforms for name in _MACHINES.get(system, ())):
            for version in self._pythons(pin):
                supported = _supported(platform, version)
                ranked = [
                    (rank, file.name)
                    for file in pin.wheels
                    if file.sha256 and (rank := _rank(file.name, supported)) is not None
                ]
                if ranked:
                    chosen[min(ranked)[1]] = next(file for file in pin.wheels if file.name == min(ranked)[1])
        yield from (_vendored(file) for _, file in sorted(chosen.items()))

    def _pythons(self, pin: Pin) -> list[str]:
        return [python for python in self.pythons if markers.possible(pin.marker, (python,), self.platforms)]


def _distribution(pin: Pin, kind: Kind, remote: Sequence[RemoteFile]) -> Distribution:
    files = tuple(map(_vendored, remote))
    return Distribution(name=pin.name, version=pin.version, kind=kind, files=files, marker=pin.marker)


def _vendored(file: RemoteFile) -> VendoredFile:
    return VendoredFile(name=file.name, size=file.size or 0, sha256=file.sha256, url=file.url)


def _build_number(name: str) -> tuple[int, ...]:
    build = parse_wheel_filename(name)[2]
    return (build[0],) if build else (0,)


def _rank(name: str, supported: Mapping[tags.Tag, int]) -> int | None:
    try:
        wheel_tags = parse_wheel_filename(name)[3]
    except InvalidWheelFilename:
        return None
    return min((supported[tag] for tag in wheel_tags if tag in supported), default=None)


@cache
def _supported(platform: str, version: str) -> Mapping[tags.Tag, int]:
    """Return the rank of each tag that a machine takes, the best first."""
    rule = BinaryRule(name="", origin="", platforms=(platform,))
    return {tag: rank for rank, tag in enumerate(_tags(rule, version))}


def _tags(rule: BinaryRule, version: str) -> Iterator[tags.Tag]:
    """Yield the tags a rule accepts, best first, as pip computes them for `pip download --platform ...`."""
    numbers = tuple(int(part) for part in version.split(".")[:2])
    implementation = rule.implementations[0] if rule.implementations else "cp"
    short = implementation + "".join(str(number) for number in numbers)
    platforms = list(itertools.chain.from_iterable(map(_expand, rule.platforms))) or list(tags.platform_tags())
    abis = list(rule.abis) or None
    if implementation == "cp":
        yield from tags.cpython_tags(numbers, abis, platforms)
    else:
        yield from tags.generic_tags(short, abis or ["none"], platforms)
    yield from tags.compatible_tags(numbers, short, platforms)


#: The glibc minor version of each policy that has a name of its own (PEP 600).
_POLICIES = {"manylinux2014": 17, "manylinux2010": 12, "manylinux1": 5}


def _expand(platform: str) -> list[str]:
    """Return a platform and those whose wheels it also runs: older macOS releases, older manylinux policies."""
    if platform.startswith("macosx_"):
        _, major, minor, architecture = platform.split("_", 3)
        return list(tags.mac_platforms((int(major), int(minor)), architecture))
    found = re.fullmatch(r"manylinux(?:_2_(?P<glibc>\d+)|(?P<year>1|2010|2014))_(?P<architecture>\w+)", platform)
    if not found:
        return [platform]
    newest = int(found["glibc"] or _POLICIES[f"manylinux{found['year']}"])
    result = []
    for glibc in range(newest, 4, -1):
        result.append(f"manylinux_2_{glibc}_{found['architecture']}")
        result += [f"{name}_{found['architecture']}" for name, minor in _POLICIES.items() if minor == glibc]
    return result
