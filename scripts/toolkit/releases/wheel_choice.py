"""Wheels taken with `--no-deps`: their version is chosen here, since no engine may see their requirements."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from toolkit.core.errors import UserError
from toolkit.model.pins import Pin, Pinned, RemoteFile
from toolkit.network.index_pages import Index, version_of
from toolkit.releases.file_choice import Selector
from toolkit.requirements.lock_inputs import LockInputs
from toolkit.requirements.vendor_txt import BinaryRule


def without_dependencies(
    inputs: LockInputs, index: Index, preferences: Iterable[Pinned], selector: Selector
) -> list[Pin]:
    """Return a pin for each name with `--no-deps` in vendor.txt: of the kept version, or the newest that fits."""
    names = dict.fromkeys(rule.name for rule in inputs.binary if rule.no_deps)
    return [_pin(name, inputs, index, preferences, selector) for name in names]


def _pin(name: str, inputs: LockInputs, index: Index, preferences: Iterable[Pinned], selector: Selector) -> Pin:
    rules = [rule for rule in inputs.binary if rule.name == name]
    specifier = _specifier(name, inputs, rules)
    by_version: dict[Version, list[RemoteFile]] = {}
    for file in index.files(name):
        version = version_of(file.name, name)
        if version and file.name.endswith(".whl") and not file.yanked:
            by_version.setdefault(version, []).append(file)
    kept = [Version(reference.version) for reference in preferences if reference.name == name]
    fitting = sorted(specifier.filter(by_version), key=lambda version: (version in kept, version), reverse=True)
    for version in fitting:
        pin = Pin(name=name, version=str(version), wheels=tuple(by_version[version]))
        try:
            selector.choose(pin)
        except UserError:
            # A version without a wheel for every line of vendor.txt; an older one may have them.
            continue
        return pin
    known = ", ".join(str(version) for version in sorted(by_version)) or "none"
    raise UserError(
        f"{rules[0].origin}: no version of {name}{specifier} has wheels for every line that names it",
        f"the index has wheels of: {known}",
    )


def _specifier(name: str, inputs: LockInputs, rules: Iterable[BinaryRule]) -> SpecifierSet:
    """Return what all lines together demand of the version."""
    lines = [line.text for line in (*inputs.lines, *inputs.tree.constraints) if line.name == name]
    texts = [*(rule.specifier for rule in rules), *(str(Requirement(text).specifier) for text in lines)]
    return SpecifierSet(",".join(filter(None, texts)))
