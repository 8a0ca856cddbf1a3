"""`--binary`: wheels of locked versions from the index, by uv, for a first start in seconds.

Only the lock is trusted: with a source it holds the hashes of the wheels that the index had of it then (`offered`), and
no other wheel is taken. uv downloads all of them, and checks each, before it changes anything.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from toolkit.core import console, directories, files, process
from toolkit.core.errors import UserError
from toolkit.model.lock import VendoredFile
from toolkit.network import tools_environment
from toolkit.network.index_options import IndexOptions

_RUNNER = Path(__file__).parent.parent.joinpath("network", "index_runner.py")
_UV_OPTIONS = (
    *("--no-deps", "--reinstall", "--no-build", "--no-config"),
    *("--quiet", "--no-progress", "--color", "never"),
)


def environment(options: IndexOptions) -> dict[str, str]:
    """Return the variables that uv runs with; the tools environment is made where it is missing. Raises `UserError`."""
    if options.no_index:
        return {"UV_OFFLINE": "1"}
    variables = {**os.environ, **options.environment()}
    answer = json.loads(process.read([_tools(options), _RUNNER], env=variables))
    if "error" in answer:
        raise UserError(*answer["error"])
    return dict(answer["variables"])


@cache
def _tools(options: IndexOptions) -> Path:
    return tools_environment.make(Path(sys.executable), options)


def install(
    prefix: Path, wheels: Mapping[str, tuple[str, VendoredFile]], options: IndexOptions, variables: Mapping[str, str]
) -> None:
    """Install wheels (name -> version, file) into the environment at `prefix`; other versions of them are replaced.

    Raises `UserError`; then the environment is as it was.
    """
    size = sum(wheel.size for _, wheel in wheels.values()) / 1e6
    console.step("FETCH", f"{len(wheels)} wheels, {size:.1f} MB, as far as they are not in the cache")
    with directories.temporary(files.cache_root() / "tmp", "binary-") as directory:
        lock = directory / "pylock.toml"
        lock.write_text(_lock(wheels, options), encoding="utf-8")
        install = (_tools(options).parent / "uv", "pip", "install", "--requirements", lock)
        where = ("--python", prefix / "bin" / "python", "--cache-dir", files.cache_root() / "uv")
        try:
            process.run([*install, *where, *_UV_OPTIONS], env=variables)
        except process.CommandError as error:
            raise _failure(error.output) from None


def _lock(wheels: Mapping[str, tuple[str, VendoredFile]], options: IndexOptions) -> str:
    """Return a lock (PEP 751) of just these wheels; JSON's texts are TOML's too."""
    lines = ['lock-version = "1.0"', 'created-by = "python-common"']
    for name, (version, wheel) in sorted(wheels.items()):
        url = _local_url(wheel, options) or wheel.url
        file = f"name = {json.dumps(wheel.name)}, url = {json.dumps(url)}, size = {wheel.size}"
        hashes = f"hashes = {{ sha256 = {json.dumps(wheel.sha256)} }}"
        lines += [
            "[[packages]]",
            f"name = {json.dumps(name)}",
            f"version = {json.dumps(version)}",
            f"wheels = [{{ {file}, {hashes} }}]",
        ]
    return "\n".join(lines)


def _local_url(wheel: VendoredFile, options: IndexOptions) -> str:
    """Return the URL of the same file in a directory of --find-links, if one has it."""
    paths = (Path(link.removeprefix("file://")).expanduser().absolute() / wheel.name for link in options.find_links)
    return next((path.as_uri() for path in paths if path.is_file()), "")


def _failure(output: str) -> UserError:
    found = re.search(r"(?:hash|size) mismatch for[:\s]*`([^`]+)`", output, re.IGNORECASE)
    if found:
        return UserError(
            f"{found[1]}: the index has another wheel than the one that is locked",
            "find out why before anything else; without --binary it is built from vendor/",
            output,
        )
    return UserError(
        "wheels cannot be had from the index",
        "see uv's message above; without --binary, all is built from vendor/, and no index is asked",
        output,
    )
