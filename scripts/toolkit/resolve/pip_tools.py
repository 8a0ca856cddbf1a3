"""The engine `pip-tools`: one run of pip-compile for each interpreter; the files are what the indexes have."""

from __future__ import annotations

import json
import sys
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

from toolkit.build import interpreters
from toolkit.core import directories, files, process
from toolkit.core.errors import UserError
from toolkit.model import markers
from toolkit.model.names import normalize
from toolkit.model.pins import Pin, RemoteFile
from toolkit.network import tools_environment
from toolkit.network.index_options import IndexOptions, file_name, without_credentials
from toolkit.network.index_pages import Index
from toolkit.network.index_settings import Indexes
from toolkit.resolve import pip_errors
from toolkit.resolve.engine import Request

_OUTPUT = "requirements.txt"
#: Newer than any: satisfies every requirement of a distribution of the project that has no version.
_ANY_VERSION = "99999"


@dataclass(frozen=True)
class PipToolsResolver:
    """Runs pip-compile in the tools environment of every target interpreter."""

    indexes: Indexes

    def resolve(self, request: Request) -> tuple[Pin, ...]:
        """Return the pins, by name; see `Resolver`. Raises `UserError` also when a target interpreter is missing."""
        if tuple(request.platforms) != (sys.platform,):
            raise UserError(
                f"RESOLVER=pip-tools resolves for {sys.platform} only, this machine's platform",
                "use RESOLVER=uv, or leave PLATFORMS= out",
            )
        pythons = request.targets.pythons
        tools = {python: self._tools(python, request) for python in pythons}
        chosen: dict[Pin, list[str]] = {}
        for python in pythons:
            for pin in self._compile(tools[python], python, request):
                chosen.setdefault(pin, []).append(python)
        index = Index(self.indexes)
        index.all_files(pin.name for pin in chosen if not pin.archive)
        found = []
        for pin, those in chosen.items():
            sdist, wheels = (None, ()) if pin.archive else index.release(pin.name, pin.version)
            found.append(replace(pin, marker=markers.for_pythons(those, pythons), sdist=sdist, wheels=wheels))
        return tuple(sorted(found, key=lambda pin: (pin.name, pin.version)))

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
            found.path, IndexOptions(index_url=self.indexes.url, extra_index_urls=self.indexes.extra)
        )

    def _compile(self, tools: Path, python: str, request: Request) -> list[Pin]:
        """Return the lines of pip-compile's output as pins without files, but for the archives of direct URLs."""
        with directories.temporary(files.cache_root() / "tmp", "resolve-") as directory:
            _write_inputs(directory, python, request)
            command: list[str | Path] = [
                tools,
                "-m",
                "piptools",
                "compile",
                "requirements.in",
                "--no-config",
                "--verbose",
            ]
            command += ["--constraint", "constraints.txt", "--output-file", _OUTPUT, "--resolver", "backtracking"]
            command += ["--strip-extras", "--allow-unsafe", "--no-header", "--no-annotate", "--no-emit-options"]
            command += ["--cache-dir", files.cache_root() / "pip-tools"]
            if request.exclude_newer:
                command += ["--uploaded-prior-to", request.exclude_newer]
            try:
                process.read(command, cwd=directory, env=self.indexes.pip_environment())
            except process.CommandError as error:
                raise pip_errors.explain(error.output, request, self.indexes) from None
            lines = (directory / _OUTPUT).read_text(encoding="utf-8").splitlines()
            found = (Requirement(line) for line in lines if line.strip() and not line.startswith(("#", "-")))
            return [self._pin(item, tools, directory) for item in found if normalize(item.name) not in request.provided]

    def _pin(self, requirement: Requirement, tools: Path, directory: Path) -> Pin:
        name = normalize(requirement.name)
        if not requirement.url:
            return Pin(name=name, version=next(iter(requirement.specifier)).version)
        # pip-compile prints the URL alone; pip's report has the version and the hash. The URL may hold a password,
        # which every user of the machine could read on a command line (proc(5)).
        line = directory / "url.txt"
        line.write_text(f"{name} @ {requirement.url}\n", encoding="utf-8")
        command: list[str | Path] = [tools, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps"]
        command += ["--ignore-installed", "--report", "-", "--requirement", line]
        [item] = json.loads(process.read(command, env=self.indexes.pip_environment()))["install"]
        url = requirement.url.partition("#")[0]
        archive = RemoteFile(
            name=file_name(url),
            url=without_credentials(url),
            sha256=item["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256", ""),
        )
        return Pin(name=name, version=item["metadata"]["version"], archive=archive)


def _write_inputs(directory: Path, python: str, request: Request) -> None:
    stubs = [_stub(directory, name, version) for name, version in request.provided.items()]
    texts = {
        "requirements.in": request.requirements,
        "constraints.txt": (*request.constraints, *stubs),
        # Preferences are what stands in the output file.
        _OUTPUT: [kept.key for kept in request.preferences if _counts(kept.marker, python)],
    }
    for name, lines in texts.items():
        (directory / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _counts(marker: str, python: str) -> bool:
    environments = markers.python_environments(marker, python)
    return not marker or any(Marker(marker).evaluate(dict(environment)) for environment in environments)


def _stub(directory: Path, name: str, version: str) -> str:
    """Write a wheel in the place of a distribution of the project, and return the constraint that names it.

    It has what pip reads to resolve, and no RECORD: nobody installs it.
    """
    version = version or _ANY_VERSION
    stem = f"{normalize(name).replace('-', '_')}-{version}"
    path = directory / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        wheel.writestr(f"{stem}.dist-info/METADATA", metadata)
        wheel.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    return f"{name} @ {path.as_uri()}"
