"""`--binary`: wheels of locked versions from the index, for a first start in seconds.

Only the lock is trusted: with a source it holds the hashes of the wheels that the index had of it then (`offered`), and
no other wheel is taken. Each is unpacked as it arrives, by what unpacks and checks all other wheels.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from toolkit.core import console, threads
from toolkit.core.errors import UserError
from toolkit.core.sizes import human
from toolkit.model.lock import VendoredFile
from toolkit.network import fetch, index_settings
from toolkit.network.fetch import Fetcher
from toolkit.network.index_options import IndexOptions
from toolkit.network.index_settings import Indexes
from toolkit.wheel import check
from toolkit.wheel.image import Image, Images


def images(wheels: Mapping[str, tuple[str, VendoredFile]], options: IndexOptions, made: Images) -> dict[str, Image]:
    """Return images of wheels (name -> version, file), which are fetched as far as the cache has them not.

    Raises `UserError`. Runs in the tools environment.
    """
    size = human(sum(file.size for _, file in wheels.values()))
    console.step("FETCH", f"{len(wheels)} wheels, {size}, as far as they are not in the cache")
    indexes = index_settings.read(options)
    for _, file in wheels.values():
        _adopt(file, indexes)
    with Fetcher(indexes) as fetcher:
        arriving = {name: fetcher.submit(file) for name, (_, file) in wheels.items()}

        def image(name: str) -> Image:
            version, file = wheels[name]
            path = fetcher.result(arriving[name]).path
            check.check(path, "index", name=name, version=version, whole=False)
            return made.add({file.sha256: path})[file.sha256]

        return dict(zip(wheels, threads.each(image, wheels, fetcher.stop, made.jobs), strict=True))


def _adopt(file: VendoredFile, indexes: Indexes) -> None:
    """Take a file that a directory of --find-links has into the cache; without an index, one of them has to have it."""
    directories = (
        Path(url2pathname(urlsplit(link).path) if link.startswith("file:") else link) for link in indexes.find_links
    )
    # The last is no file, which leaves the question whether the cache has it.
    found = any(fetch.adopt(file, source) for source in (*(path / file.name for path in directories), Path()))
    if indexes.no_index and not found:
        raise UserError(
            f"{file.name}: neither the cache nor a directory of --find-links has the file that is locked",
            "give --find-links a directory that has it; without --binary, all is built from vendor/",
        )
