"""From a pin to the files to vendor: its sdist, or the wheels that vendor.txt names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from toolkit.core.errors import UserError
from toolkit.model import markers, tags
from toolkit.model.lock import Distribution, Kind, VendoredFile
from toolkit.model.pins import Pin, RemoteFile
from toolkit.requirements.vendor_txt import BinaryRule

#: The machines of developers; wheels of an older C library or macOS run there too.
_MACHINES = {
    "linux": ("manylinux_2_28_x86_64", "manylinux_2_28_aarch64"),
    "darwin": ("macosx_13_0_x86_64", "macosx_13_0_arm64"),
}


@dataclass(kw_only=True)
class Selector:
    """Chooses files; `rules` are the binary rules by name, `pythons` the interpreters a rule without one is for.

    `kept` are locked distributions by `name==version`, whose wheels are preferred to those added to the release since.
    What has no sdist and no rule is collected in `without_source`, by `name==version`.
    """

    rules: Mapping[str, Sequence[BinaryRule]]
    pythons: tuple[str, ...]
    platforms: tuple[str, ...]
    kept: Mapping[str, Distribution] = field(default_factory=dict)
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
        self.without_source[pin.key] = pin
        return None

    def _wheels(self, pin: Pin, rule: BinaryRule) -> Iterator[RemoteFile]:
        wheels = {file.name: file for file in pin.wheels}
        kept = {file.name for file in self.kept[pin.key].files} if pin.key in self.kept else set()
        implementation = rule.implementations[0] if rule.implementations else "cp"
        for version in rule.python_versions or self._pythons(pin):
            ranks = tags.ranks(version, rule.platforms, rule.abis, implementation)
            best = tags.best_wheel(wheels.keys() & kept, ranks) or tags.best_wheel(wheels, ranks)
            if not best:
                raise UserError(
                    f"{rule.origin}: {pin.name} {pin.version} has no wheel for Python {version} on "
                    f"{', '.join(rule.platforms) or 'this machine'}",
                    f"there are: {', '.join(wheels) or 'none'}",
                )
            yield wheels[best]

    def _offered(self, pin: Pin) -> list[VendoredFile]:
        """Return the wheels that development environments may take: for each machine the one that fits the most."""
        wheels = {file.name: file for file in pin.wheels if file.sha256}
        if pin.key in self.kept and self.kept[pin.key].kind == "sdist":
            return [vendored(wheels[file.name]) for file in self.kept[pin.key].offered if file.name in wheels]
        machines = [name for system in self.platforms for name in _MACHINES.get(system, ())]
        pythons = self._pythons(pin)
        chosen = {tags.best_wheel(wheels, tags.ranks(python, (name,))) for name in machines for python in pythons}
        return [vendored(wheels[name]) for name in sorted(chosen - {""})]

    def _pythons(self, pin: Pin) -> list[str]:
        return [python for python in self.pythons if markers.possible(pin.marker, (python,), self.platforms)]


def _distribution(pin: Pin, kind: Kind, remote: Sequence[RemoteFile]) -> Distribution:
    indexes = {file.index for file in remote}
    return Distribution(
        name=pin.name,
        version=pin.version,
        kind=kind,
        files=tuple(map(vendored, remote)),
        marker=pin.marker,
        index=indexes.pop() if len(indexes) == 1 else "",
        metadata=pin.metadata,
        requires_sha256=pin.requires_sha256,
    )


def vendored(file: RemoteFile) -> VendoredFile:
    """Return a file of an index as one to vendor."""
    return VendoredFile(
        name=file.name, size=file.size or 0, sha256=file.sha256, url=file.url, other_hash=file.other_hash
    )
