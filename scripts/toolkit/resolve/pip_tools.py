"""The engine `pip-tools`: one run of pip-compile for each interpreter; the files are what the indexes have."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.markers import Marker
from packaging.requirements import Requirement

from toolkit.build import interpreters
from toolkit.core import directories, files, process
from toolkit.core.errors import UserError
from toolkit.model import markers
from toolkit.model.names import normalize
from toolkit.model.pins import Pin, Pinned, RemoteFile
from toolkit.network import tools_environment
from toolkit.network.index_options import IndexOptions, without_credentials
from toolkit.network.index_pages import Index
from toolkit.network.index_settings import Indexes
from toolkit.resolve import pip_errors
from toolkit.resolve.engine import Request

_OUTPUT = "requirements.txt"
#: Newer than any: satisfies whatever asks for a distribution of the project that does not say its version.
_ANY_VERSION = "99999"


@dataclass(frozen=True)
class _Chosen:
    """One line of pip-compile's output; `archive` for a direct URL."""

    name: str
    version: str
    archive: RemoteFile | None = None


class PipToolsResolver:
    """Runs pip-compile in the tools environment of every target interpreter."""

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes

    def resolve(self, request: Request) -> tuple[Pin, ...]:
        """Return the pins, by name; see `Resolver`. Raises `UserError` also when a target interpreter is missing."""
        if tuple(request.platforms) != (sys.platform,):
            raise UserError(
                f"RESOLVER=pip-tools resolves for {sys.platform} only, this machine's platform",
                "use RESOLVER=uv, or leave PLATFORMS= out",
            )
        pythons = request.targets.pythons
        tools = {python: self._tools(python, request) for python in pythons}
        chosen: dict[_Chosen, list[str]] = {}
        for python in pythons:
            for item in self._compile(tools[python], python, request):
                chosen.setdefault(item, []).append(python)
        index = Index(self._indexes)
        index.all_files(item.name for item in chosen if not item.archive)
        pins = (_pin(item, markers.for_pythons(wanted, pythons), index) for item, wanted in chosen.items())
        return tuple(sorted(pins, key=lambda pin: (pin.name, pin.version)))

    def _tools(self, python: str, request: Request) -> Path:
        if python == f"{sys.version_info.major}.{sys.version_info.minor}":
            return Path(sys.executable)
        try:
            found = interpreters.find((python,))
        except UserError:
            where = request.targets.origins.get(python, ".python-version")
            raise UserError(
                f"{where}: RESOLVER=pip-tools needs Python {python}, which is not on this machine",
                "use RESOLVER=uv, which needs no interpreter of the targets, or install it",
            ) from None
        return tools_environment.make(
            found.path, IndexOptions(index_url=self._indexes.url, extra_index_urls=self._indexes.extra)
        )

    def _compile(self, tools: Path, python: str, request: Request) -> list[_Chosen]:
        with directories.temporary(files.cache_root() / "tmp", "resolve-") as directory:
            _write_inputs(directory, python, request)
            command: list[str | Path] = [
                tools,
                "-m",
                "piptools",
                "compile",
                "requirements.in",
                "--output-file",
                _OUTPUT,
                "--constraint",
                "constraints.txt",
                "--resolver",
                "backtracking",
                "--strip-extras",
                "--allow-unsafe",
                "--no-header",
                "--no-annotate",
                "--no-emit-options",
                "--no-config",
                "--verbose",
                "--cache-dir",
                files.cache_root() / "pip-tools",
            ]
            if request.exclude_newer:
                command += ["--uploaded-prior-to", request.exclude_newer]
            try:
                process.read(command, cwd=directory, env=self._indexes.pip_environment())
            except process.CommandError as error:
                raise pip_errors.explain(error.output, request, self._indexes) from None
            lines = (directory / _OUTPUT).read_text(encoding="utf-8").splitlines()
            found = (Requirement(line) for line in lines if line.strip() and not line.startswith(("#", "-")))
            return [
                self._chosen(item, tools, directory) for item in found if normalize(item.name) not in request.provided
            ]

    def _chosen(self, requirement: Requirement, tools: Path, directory: Path) -> _Chosen:
        name = normalize(requirement.name)
        if not requirement.url:
            return _Chosen(name, next(iter(requirement.specifier)).version)
        # pip-compile prints the URL alone; pip's report knows the version and the hash of what is there. The URL may
        # hold a password, which every user of the machine could read on a command line (proc(5)).
        asked = directory / "url.txt"
        asked.write_text(f"{name} @ {requirement.url}\n", encoding="utf-8")
        command: list[str | Path] = [
            tools,
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--quiet",
            "--no-deps",
            "--ignore-installed",
            "--report",
            "-",
            "--requirement",
            asked,
        ]
        [item] = json.loads(process.read(command, env=self._indexes.pip_environment()))["install"]
        url = requirement.url.partition("#")[0]
        archive = RemoteFile(
            name=unquote(urlsplit(url).path.rsplit("/", 1)[-1]),
            url=without_credentials(url),
            sha256=item["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256", ""),
        )
        return _Chosen(name, item["metadata"]["version"], archive)


def _write_inputs(directory: Path, python: str, request: Request) -> None:
    stubs = [_stub(directory, name, version) for name, version in request.provided.items()]
    texts = {
        "requirements.in": request.requirements,
        "constraints.txt": (*request.constraints, *stubs),
        # Preferences are what stands in the output file.
        _OUTPUT: _preferences(request.preferences, python),
    }
    for name, lines in texts.items():
        (directory / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _preferences(kept: Iterable[Pinned], python: str) -> tuple[str, ...]:
    return tuple(reference.key for reference in kept if _counts(reference.marker, python))


def _counts(marker: str, python: str) -> bool:
    environments = markers.python_environments(marker, python)
    return not marker or any(Marker(marker).evaluate(dict(environment)) for environment in environments)


def _stub(directory: Path, name: str, version: str) -> str:
    """Write an empty wheel in the place of a distribution of the project, and return the constraint that names it."""
    stem = f"{normalize(name).replace('-', '_')}-{version or _ANY_VERSION}"
    members = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version or _ANY_VERSION}\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: python-common\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    path = directory / f"{stem}-py3-none-any.whl"
    record = [f"{stem}.dist-info/RECORD,,\n"]
    with zipfile.ZipFile(path, "w") as wheel:
        for member, text in members.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record.append(f"{stem}.dist-info/{member},sha256={digest},{len(text.encode())}\n")
            wheel.writestr(f"{stem}.dist-info/{member}", text)
        wheel.writestr(f"{stem}.dist-info/RECORD", "".join(record))
    return f"{name} @ {path.as_uri()}"


def _pin(chosen: _Chosen, marker: str, index: Index) -> Pin:
    if chosen.archive:
        return Pin(name=chosen.name, version=chosen.version, marker=marker, archive=chosen.archive)
    sdist, wheels = index.release(chosen.name, chosen.version)
    return Pin(name=chosen.name, version=chosen.version, marker=marker, sdist=sdist, wheels=wheels)
