"""How each of the project's own packages is linked: by its wheel, or by what its files say."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from toolkit.develop import linking
from toolkit.develop.linking import Linked
from toolkit.develop.wheel_sources import WheelSources
from toolkit.model.interpreter import Interpreter
from toolkit.project.discovery import Package
from toolkit.wheel.image import Image


def is_built(package: Package, sources: WheelSources) -> bool:
    """Tell whether a package is linked by its wheel: one that no lock is for cannot be built."""
    return package.name in sources.local


def identity(package: Package, sources: WheelSources) -> str:
    """Return what tells apart two ways in which a package would be linked."""
    node = sources.local.get(package.name)
    known = node.identity if node else repr((package.version, sorted(package.commands.items())))
    parts = [str(linking.RECIPE), str(package.path), known]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def link(package: Package, image: Image | None, interpreter: Interpreter, identities: Mapping[str, str]) -> Linked:
    """Return what links a package, by the image of its wheel if there is one."""
    if image:
        return linking.of_wheel(package, image, interpreter, identities[package.name])
    return linking.of_files(package, interpreter, identities[package.name])
