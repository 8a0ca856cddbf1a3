"""Environment markers (PEP 508), seen from the machines that a service is built for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from packaging.markers import Marker

from toolkit.model.targets import SYSTEMS

Environment = Mapping[str, str]


def holds(marker: Marker | str | None, environment: Environment, extra: str = "") -> bool:
    """Tell whether a marker holds in an environment, for somebody who asks for an extra; none (or "") always does.

    One that compares what cannot be compared does not, as uv has it.
    """
    parsed = _parsed(marker) if isinstance(marker, str) else marker
    try:
        return parsed is None or parsed.evaluate({**environment, "extra": extra})
    # packaging's `UndefinedComparison`, and of Debian 12's its `InvalidVersion`, for the release of a kernel; and
    # `UndefinedEnvironmentName`, for a text in the place of a variable.
    except (ValueError, KeyError):
        return False


@cache
def _parsed(text: str) -> Marker | None:
    return Marker(text) if text else None


def possible(marker: str, pythons: Sequence[str], platforms: Sequence[str]) -> bool:
    """Tell whether a marker holds on at least one machine: minor versions such as `3.11`, values of `sys.platform`."""
    return any(found for _, found in _table(marker, tuple(pythons), tuple(platforms)))


def simplify(marker: str, pythons: Sequence[str], platforms: Sequence[str]) -> str:
    """Return a shorter marker that holds on the same of these machines: empty when it holds on all of them.

    One that depends on the minor version alone, or on the platform alone, or the machine alone, names just that.
    """
    described = describe(_table(marker, tuple(pythons), tuple(platforms)))
    return marker if described is None else described


def describe(table: Sequence[tuple[Environment, bool]]) -> str | None:
    """Return the marker that holds on just the machines where the table says so; None when no short one does.

    It names the minor version alone, or the platform alone, or the machine alone; it is empty when all hold.
    """
    if all(found for _, found in table):
        return ""
    for variable in ("python_version", "sys_platform", "platform_machine"):
        chosen = {environment[variable]: found for environment, found in table}
        if all(chosen[environment[variable]] == found for environment, found in table):
            return _one_of(variable, [value for value, found in chosen.items() if found]) or None
    return None


def for_pythons(chosen: Sequence[str], pythons: Sequence[str]) -> str:
    """Return the marker for some minor versions out of `pythons`; empty when it is all of them."""
    return "" if set(chosen) == set(pythons) else _one_of("python_version", chosen)


def of_targets(pythons: Sequence[str], platforms: Sequence[str]) -> list[str]:
    """Return the marker of each pair of a minor version and a platform."""
    pairs = itertools.product(pythons, platforms)
    return [f"python_version == '{python}' and sys_platform == '{platform}'" for python, platform in pairs]


def python_environments(text: str, python: str) -> Iterator[dict[str, str]]:
    """Yield an environment for each patch level of a minor version that the text of a marker could tell apart."""
    named = {int(found) for found in re.findall(rf"\b{re.escape(python)}\.(\d+)", text)}
    patches = {0, 99, *named, *(patch + 1 for patch in named), *(max(patch - 1, 0) for patch in named)}
    for patch in sorted(patches):
        full = f"{python}.{patch}"
        yield {"python_version": python, "python_full_version": full, "implementation_version": full}


def _one_of(variable: str, values: Sequence[str]) -> str:
    return " or ".join(f"{variable} == '{value}'" for value in values)


@cache
def _table(marker: str, pythons: tuple[str, ...], platforms: tuple[str, ...]) -> tuple[tuple[Environment, bool], ...]:
    return tuple((environment, holds(marker, environment)) for environment in environments(marker, pythons, platforms))


def environments(text: str, pythons: Sequence[str], platforms: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the marker environment of every machine that the text of some markers could tell apart."""
    for python, platform in itertools.product(pythons, platforms):
        system = SYSTEMS[platform]
        for versions, machine in itertools.product(python_environments(text, python), system.machines):
            yield {
                **versions,
                "sys_platform": platform,
                "platform_machine": machine,
                "platform_system": system.name,
                "os_name": "nt" if platform == "win32" else "posix",
                "implementation_name": "cpython",
                "platform_python_implementation": "CPython",
                "platform_release": "",
                "platform_version": "",
                "extra": "",
            }
