"""The engine `uv`: one universal resolution, without the interpreters it is for."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from toolkit.core import directories, files, process
from toolkit.model import markers
from toolkit.model.lock import TOOL
from toolkit.model.names import normalize
from toolkit.model.pins import Pin, RemoteFile
from toolkit.network.index_options import without_credentials
from toolkit.network.index_pages import Index
from toolkit.network.index_settings import Indexes
from toolkit.resolve import uv_errors
from toolkit.resolve.engine import Request

_OUTPUT = "pylock.toml"


class UvResolver:
    """Runs `uv pip compile` in a directory of its own, so that no other configuration of uv has a say."""

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes

    def resolve(self, request: Request) -> tuple[Pin, ...]:
        """Return the pins, by name; see `Resolver`."""
        with directories.temporary(files.cache_root() / "tmp", "resolve-") as directory:
            _write_inputs(directory, request, self._indexes)
            try:
                self._run(directory, request, refresh=request.refresh)
            except process.CommandError as error:
                if request.refresh or not uv_errors.may_be_stale(error.output):
                    raise uv_errors.explain(error.output, request, self._indexes) from None
                self._retry(directory, request)
            data = tomllib.loads((directory / _OUTPUT).read_text(encoding="utf-8"))
        pins = [_pin(item, request) for item in data.get("packages", ()) if _wanted(item, request)]
        return tuple(sorted(self._completed(pins), key=lambda pin: (pin.name, pin.version)))

    def _completed(self, pins: list[Pin]) -> list[Pin]:
        """Look for missing sdists in all indexes, for uv names a version's files of one index only."""
        lacking = [pin for pin in pins if not pin.sdist and not pin.archive]
        if not lacking or len((*self._indexes.urls, *self._indexes.find_links)) < 2:
            return pins
        index = Index(self._indexes)
        index.all_files(pin.name for pin in lacking)
        return [replace(pin, sdist=index.release(pin.name, pin.version)[0]) if pin in lacking else pin for pin in pins]

    def _retry(self, directory: Path, request: Request) -> None:
        """Ask again past uv's cache, which may not know yet of a release of the last ten minutes."""
        try:
            self._run(directory, request, refresh=True)
        except process.CommandError as error:
            raise uv_errors.explain(error.output, request, self._indexes) from None

    def _run(self, directory: Path, request: Request, *, refresh: bool) -> None:
        # Preferences are what stands in the output file.
        (directory / _OUTPUT).write_text(_dumps(_preferences(request)), encoding="utf-8")
        lowest = min(request.targets.pythons, key=lambda text: tuple(map(int, text.split("."))))
        command: list[str | Path] = [
            Path(sys.prefix) / "bin" / "uv",
            "pip",
            "compile",
            "requirements.in",
            "--output-file",
            _OUTPUT,
            "--format",
            "pylock.toml",
            "--universal",
            "--python-version",
            lowest,
            "--no-header",
            "--quiet",
            "--constraints",
            "constraints.txt",
            "--excludes",
            "excludes.txt",
            "--no-sources",
            "--python",
            sys.executable,
            "--no-python-downloads",
            "--color",
            "never",
            "--cache-dir",
            files.cache_root() / "uv",
        ]
        if request.exclude_newer:
            command += ["--exclude-newer", request.exclude_newer]
        if refresh:
            command.append("--refresh")
        # A user's uv.toml must not change the result.
        environment = {**self._indexes.uv_environment(), "XDG_CONFIG_HOME": str(directory)}
        process.read(command, cwd=directory, env=environment)


def _write_inputs(directory: Path, request: Request, indexes: Indexes) -> None:
    texts = {
        "requirements.in": request.requirements,
        "constraints.txt": request.constraints,
        "excludes.txt": tuple(request.provided),
    }
    for name, lines in texts.items():
        (directory / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    environments = [
        f"python_version == '{python}' and sys_platform == '{platform}'"
        for python in request.targets.pythons
        for platform in request.platforms
    ]
    settings = {"tool": {"uv": {"environments": environments, **indexes.uv_settings()}}}
    # It may hold the password of an index.
    (directory / "pyproject.toml").touch(mode=0o600)
    (directory / "pyproject.toml").write_text(_dumps(settings), encoding="utf-8")


def _dumps(data: Mapping[str, Any]) -> str:
    import tomli_w

    return tomli_w.dumps(data)


def _preferences(request: Request) -> dict[str, Any]:
    packages = []
    for kept in request.preferences:
        entry = {"name": kept.name, "version": kept.version, "marker": kept.marker}
        packages.append({key: value for key, value in entry.items() if value})
    return {"lock-version": "1.0", "created-by": TOOL, "packages": packages}


def _wanted(item: Mapping[str, Any], request: Request) -> bool:
    return markers.possible(item.get("marker", ""), request.targets.pythons, request.platforms)


def _pin(item: Mapping[str, Any], request: Request) -> Pin:
    marker = markers.simplify(item.get("marker", ""), request.targets.pythons, request.platforms)
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
    uploaded = entry.get("upload-time", "")
    return RemoteFile(
        name=entry.get("name") or unquote(urlsplit(url).path.rsplit("/", 1)[-1]),
        url=without_credentials(url).partition("#")[0],
        size=entry.get("size"),
        sha256=entry.get("hashes", {}).get("sha256", ""),
        upload_time=uploaded if isinstance(uploaded, str) else uploaded.isoformat(),
    )
