"""The engine `uv`: one universal resolution, without the interpreters it is for."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from toolkit.core import directories, process
from toolkit.engines import uv_errors
from toolkit.engines.engine import Request, engine_environment
from toolkit.model import markers
from toolkit.model.lock import TOOL
from toolkit.model.names import normalize
from toolkit.model.pins import Pinned
from toolkit.network.index_settings import Indexes

PROGRAM = Path(sys.prefix) / "bin" / "uv"
_OUTPUT = "pylock.toml"


@dataclass(frozen=True)
class Uv:
    """Runs `uv pip compile`, each time in a directory of its own, of which nothing is left."""

    indexes: Indexes

    def choose(self, request: Request, index_url: str) -> tuple[Pinned, ...]:
        """Return the versions, by name; see `Engine`."""
        with directories.scratch("resolve-") as directory:
            _write_inputs(directory, request, index_url)
            try:
                _run(directory, request)
            except process.CommandError as error:
                raise uv_errors.explain(error.output.replace(index_url, "the index"), request, self.indexes) from None
            data = tomllib.loads((directory / _OUTPUT).read_text(encoding="utf-8"))
        pythons, platforms = request.targets.pythons, request.platforms
        found = [
            Pinned(normalize(item["name"]), item["version"], markers.simplify(marker, pythons, platforms))
            for item in data.get("packages", ())
            if markers.possible(marker := item.get("marker", ""), pythons, platforms)
        ]
        return tuple(sorted(found, key=lambda pinned: (pinned.name, pinned.version)))


def _run(directory: Path, request: Request) -> None:
    lowest = min(request.targets.pythons, key=lambda text: tuple(map(int, text.split("."))))
    command: list[str | Path] = [PROGRAM, "pip", "compile", "requirements.in", "--universal", "--no-build"]
    command += ["--output-file", _OUTPUT, "--format", "pylock.toml", "--no-header", "--quiet", "--color", "never"]
    command += ["--constraints", "constraints.txt", "--excludes", "excludes.txt", "--no-sources", "--no-cache"]
    command += ["--python-version", lowest, "--python", sys.executable, "--no-python-downloads"]
    environment = engine_environment(directory) | {
        # The toolkit repeats requests, and waits for the index; uv waits for the toolkit.
        "UV_HTTP_TIMEOUT": "86400",
        "UV_HTTP_RETRIES": "0",
    }
    process.read(command, cwd=directory, env=environment)


def _write_inputs(directory: Path, request: Request, index_url: str) -> None:
    settings = {
        "index": [{"name": "offered", "url": index_url, "default": True}],
        "environments": markers.of_targets(request.targets.pythons, request.platforms),
    }
    texts = {
        "requirements.in": request.requirements,
        "constraints.txt": request.constraints,
        "excludes.txt": tuple(request.provided),
        # Preferences are what stands in the output file.
        _OUTPUT: tomli_w.dumps(_preferences(request)).splitlines(),
        # The directory is its owner's alone, and the URL a secret, which is no argument's business.
        "pyproject.toml": tomli_w.dumps({"tool": {"uv": settings}}).splitlines(),
    }
    for name, lines in texts.items():
        (directory / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    # A configuration for all of the machine, found before that in /etc: it might name other indexes.
    (directory / "uv").mkdir()
    (directory / "uv" / "uv.toml").touch()


def _preferences(request: Request) -> dict[str, Any]:
    packages = []
    for kept in request.preferences:
        entry = {"name": kept.name, "version": kept.version, "marker": kept.marker}
        packages.append({key: value for key, value in entry.items() if value})
    return {"lock-version": "1.0", "created-by": TOOL, "packages": packages}
