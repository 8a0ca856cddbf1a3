"""Which distribution each file of an environment is taken from, where several install one of the same name."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.wheel import member_names
from toolkit.wheel.image import Image

_HINT = "only one of them can be installed: change requirements.txt, then `make vendor`"


def owners(images: Sequence[Image]) -> dict[str, Image]:
    """Return the image that each file is taken from: as with pip, the last one that has it.

    Warns where two have different files of one name. Raises `UserError` where that is a script, and where one has a
    file in the place of another's directory.
    """
    found: dict[str, Image] = {}
    for image in images:
        for name in image.files:
            if name in found and not name.endswith(".pyc"):
                _compare(name, found[name], image)
            found[name] = image
    for directory, name in member_names.directories(found).items():
        if directory in found:
            what = f"{found[directory].name} has the file {directory}, and {found[name].name} a directory there"
            raise UserError(what, _HINT)
    return found


def _compare(name: str, first: Image, second: Image) -> None:
    if first.files[name].sha256 == second.files[name].sha256:
        return
    what = f"{first.name} and {second.name} both install {name}, with different content"
    if name.startswith("bin/"):
        raise UserError(what, _HINT)
    console.warn(f"{what}; the second is taken")
