"""The engine `uv`: one universal resolution, without the interpreters it is for."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from toolkit.core import directories, files, process
from toolkit.model import markers
from toolkit.model.lock import TOOL
from toolkit.model.names import normalize
from toolkit.model.pins import Pin, RemoteFile
from toolkit.network.index_options import file_name, without_credentials
from toolkit.network.index_pages import Index
from toolkit.network.index_settings import Indexes
from toolkit.resolve import uv_errors
from toolkit.resolve.engine import Request

PROGRAM = Path(sys.prefix) / "bin" / "uv"
_OUTPUT = "pylock.toml"


@dataclass(frozen=True)
class UvResolver:
    """Runs `uv pip compile`, each time in a directory of its own."""

    indexes: Indexes

    def resolve(self, request: Request) -> tuple[Pin, ...]:
        """Return the pins, by name; see `Resolver`."""
        with directories.temporary(files.cache_root() / "tmp", "resolve-") as directory:
            _write_inputs(directory, request)
            try:
                self._run(directory, request)
            except process.CommandError as error:
                if request.refresh or not uv_errors.may_be_stale(error.output):
                    raise uv_errors.explain(error.output, request, self.indexes) from None
                # PyPI lets its pages be cached for ten minutes, so uv's cache may not have the newest releases.
                return self.resolve(replace(request, refresh=True))
            data = tomllib.loads((directory / _OUTPUT).read_text(encoding="utf-8"))
        pythons, platforms = request.targets.pythons, request.platforms
        pins = [
            _pin(item, markers.simplify(marker, pythons, platforms))
            for item in data.get("packages", ())
            if markers.possible(marker := item.get("marker", ""), pythons, platforms)
        ]
        return tuple(sorted(self._completed(pins), key=lambda pin: (pin.name, pin.version)))

    def _completed(self, pins: list[Pin]) -> list[Pin]:
        """Look for missing sdists in all indexes, since uv names a version's files of one index only."""
        lacking = [pin for pin in pins if not pin.sdist and not pin.archive]
        if not lacking or len((*self.indexes.urls, *self.indexes.find_links)) < 2:
            return pins
        index = Index(self.indexes)
        index.all_files(pin.name for pin in lacking)
        return [replace(pin, sdist=index.release(pin.name, pin.version)[0]) if pin in lacking else pin for pin in pins]

    def _run(self, directory: Path, request: Request) -> None:
        lowest = min(request.targets.pythons, key=lambda text: tuple(map(int, text.split("."))))
        command: list[str | Path] = [PROGRAM, "pip", "compile", "requirements.in", "--universal"]
        command += ["--output-file", _OUTPUT, "--format", "pylock.toml", "--no-header", "--quiet", "--color", "never"]
        command += ["--constraints", "constraints.txt", "--excludes", "excludes.txt", "--no-sources"]
        command += ["--python-version", lowest, "--python", sys.executable, "--no-python-downloads"]
        command += ["--cache-dir", files.cache_root() / "uv"]
        if request.exclude_newer:
            command += ["--exclude-newer", request.exclude_newer]
        if request.refresh:
            command.append("--refresh")
        environments = markers.of_targets(request.targets.pythons, request.platforms)
        process.read(command, cwd=directory, env=configure(directory, self.indexes, environments=environments))


def configure(directory: Path, indexes: Indexes, **further: object) -> dict[str, str]:
    """Write the settings of uv (`further` ones too) to a directory, and return the environment to run it in there.

    No other configuration of uv has a say then.
    """
    settings = {**further, **indexes.uv_settings()}
    # In a file that only its owner reads: an address may hold a password, which is no argument's business.
    (directory / "pyproject.toml").touch(mode=0o600)
    (directory / "pyproject.toml").write_text(tomli_w.dumps({"tool": {"uv": settings}}), encoding="utf-8")
    return {**indexes.uv_environment(), "XDG_CONFIG_HOME": str(directory)}


def _write_inputs(directory: Path, request: Request) -> None:
    texts = {
        "requirements.in": request.requirements,
        "constraints.txt": request.constraints,
        "excludes.txt": tuple(request.provided),
        # Preferences are what stands in the output file.
        _OUTPUT: tomli_w.dumps(_preferences(request)).splitlines(),
    }
    for name, lines in texts.items():
        (directory / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _preferences(request: Request) -> dict[str, Any]:
    packages = []
    for kept in request.preferences:
        entry = {"name": kept.name, "version": kept.version, "marker": kept.marker}
        packages.append({key: value for key, value in entry.items() if value})
    return {"lock-version": "1.0", "created-by": TOOL, "packages": packages}


def _pin(item: Mapping[str, Any], marker: str) -> Pin:
    return Pin(
        name=normalize(item["name"]),
        version=item["version"],
        marker=marker,
        sdist=_file(item["sdist"]) if "sdist" in item else None,
        wheels=tuple(_file(wheel) for wheel in item.get("wheels", ())),
        archive=_file(item["archive"]) if "archive" in item else None,
    )


def _file(entry: Mapping[str, Any]) -> RemoteFile:
    url = entry.get("url") or Path(entry["path"]).absolute().as_uri()
    return RemoteFile(
        name=entry.get("name") or file_name(url),
        url=without_credentials(url).partition("#")[0],
        size=entry.get("size"),
        sha256=entry.get("hashes", {}).get("sha256", ""),
    )
