"""Which wheels a Python takes: the tags in their names, in the order it prefers them (PEP 425, PEP 600)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.tags import Tag

#: The glibc minor version of each policy that has a name of its own (PEP 600).
_POLICIES = {"manylinux2014": 17, "manylinux2010": 12, "manylinux1": 5}


def best_wheel(names: Iterable[str], ranks: Mapping[Tag, int]) -> str:
    """Return the wheel of the best rank, of two builds of one the later; nothing when none fits."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    fitting = []
    for name in sorted(names):
        try:
            _, _, build, tags = parse_wheel_filename(name)
        except InvalidWheelFilename:
            continue
        if found := tags & ranks.keys():
            fitting.append((-min(ranks[tag] for tag in found), build, name))
    return max(fitting, key=lambda item: item[:2], default=(0, (), ""))[2]


@cache
def ranks(
    python: str, platforms: tuple[str, ...] = (), abis: tuple[str, ...] = (), implementation: str = "cp"
) -> Mapping[Tag, int]:
    """Return the rank of each tag that a Python (such as `3.11`) takes, from 0, the best, on.

    Without `platforms` these are of this machine. The order is that of `pip download --platform ...`.
    """
    from packaging import tags

    numbers = tuple(int(part) for part in python.split(".")[:2])
    interpreter = implementation + "".join(map(str, numbers))
    expanded = list(itertools.chain.from_iterable(map(_expand, platforms))) or list(tags.platform_tags())
    if implementation == "cp":
        first = tags.cpython_tags(numbers, list(abis) or None, expanded)
    else:
        first = tags.generic_tags(interpreter, list(abis) or ["none"], expanded)
    supported = (*first, *tags.compatible_tags(numbers, interpreter, expanded))
    return {tag: rank for rank, tag in enumerate(supported)}


def is_for(name: str, pythons: Iterable[str]) -> bool:
    """Tell whether any of these minor versions of CPython takes a wheel on some machine, by its name."""
    parts = name.removesuffix(".whl").split("-")
    return len(parts) >= 5 and any(_fits(parts[-3], parts[-2], python) for python in pythons)


@cache
def _fits(interpreters: str, abis: str, python: str) -> bool:
    major, minor = (int(part) for part in python.split(".")[:2])
    own = f"cp{major}{minor}"
    for tag, abi in itertools.product(interpreters.split("."), abis.split(".")):
        found = re.fullmatch(rf"(py|cp){major}(\d*)", tag)
        if found and (not found[2] or int(found[2]) <= minor):
            is_exact = tag == own and abi in (own, f"{own}m", f"{own}t", "none", "abi3")
            if is_exact or (found[1] == "py" and abi == "none") or (found[2] and abi == "abi3"):
                return True
    return False


def _expand(platform: str) -> Iterator[str]:
    """Yield a platform and those whose wheels it also runs: older macOS releases, older manylinux policies."""
    from packaging import tags

    macos = re.fullmatch(r"macosx_(\d+)_(\d+)_(\w+)", platform)
    linux = re.fullmatch(r"manylinux(?:_2_(?P<glibc>\d+)|(?P<year>1|2010|2014))_(?P<architecture>\w+)", platform)
    if macos:
        yield from tags.mac_platforms((int(macos[1]), int(macos[2])), macos[3])
    elif linux:
        newest = int(linux["glibc"] or _POLICIES[f"manylinux{linux['year']}"])
        for glibc in range(newest, 4, -1):
            policies = (name for name, minor in _POLICIES.items() if minor == glibc)
            yield from (f"{name}_{linux['architecture']}" for name in (f"manylinux_2_{glibc}", *policies))
    else:
        yield platform
