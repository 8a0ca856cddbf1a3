"""How each of the project's own packages is linked: by its wheel, or by what its files say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from toolkit.build.plan import Node
from toolkit.develop import linking
from toolkit.develop.linking import Linked
from toolkit.develop.wheel_sources import WheelSources
from toolkit.model.interpreter import Interpreter
from toolkit.project import plain_package
from toolkit.project.discovery import Package
from toolkit.wheel.image import Image


def is_built(package: Package, sources: WheelSources) -> bool:
    """Tell whether a package is linked by its wheel: one that no lock is for cannot be built."""
    return package.name in sources.local


def in_order(packages: Iterable[Package], sources: WheelSources) -> list[Package]:
    """Return packages in the order in which a service installs them, behind those that no lock is for.

    The later one has what two of them claim.
    """
    places = {name: place for place, name in enumerate(sources.local)}
    return sorted(packages, key=lambda package: places.get(package.name, -1))


def identity(package: Package, sources: WheelSources) -> str:
    """Return what tells apart two ways in which a package would be linked."""
    node = sources.local.get(package.name)
    known = _of_build(node) if node else [package.version, repr(sorted(package.commands.items()))]
    parts = [str(linking.RECIPE), str(package.path), *known]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _of_build(node: Node) -> list[str]:
    """Return what the wheel of a package depends on, as far as that is linked."""
    if node.rust or not plain_package.is_plain(node.source):
        return [node.identity]
    # An edit of a module is seen without a build.
    given = node.given.text if node.given else ""
    built_by = [*(each.identity for each in node.requires), *node.settings.identity]
    return [plain_package.fingerprint(node.source), given, *built_by]


def link(package: Package, image: Image | None, interpreter: Interpreter, identities: Mapping[str, str]) -> Linked:
    """Return what links a package, by the image of its wheel if there is one."""
    if image:
        return linking.of_wheel(package, image, interpreter, identities[package.name])
    return linking.of_files(package, interpreter, identities[package.name])
