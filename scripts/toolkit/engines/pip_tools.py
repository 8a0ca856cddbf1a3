"""The engine `pip-tools`: one run of pip-compile for each interpreter."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import Requirement

from toolkit.build import interpreters
from toolkit.core import directories, process
from toolkit.core.errors import UserError
from toolkit.engines import pip_errors
from toolkit.engines.engine import Request, engine_environment
from toolkit.model import markers
from toolkit.model.names import normalize
from toolkit.model.pins import Pinned
from toolkit.network import tools_environment
from toolkit.network.index_options import IndexOptions
from toolkit.network.index_settings import Indexes

_OUTPUT = "requirements.txt"


@dataclass(frozen=True)
class PipTools:
    """Runs pip-compile in the tools environment of every target interpreter."""

    indexes: Indexes

    def choose(self, request: Request, index_url: str) -> tuple[Pinned, ...]:
        """Return the versions, by name; see `Engine`. Raises `UserError` also when a target interpreter is missing."""
        if tuple(request.platforms) != (sys.platform,):
            raise UserError(
                f"RESOLVER=pip-tools resolves for {sys.platform} only, this machine's platform",
                "use RESOLVER=uv, or leave PLATFORMS= out",
            )
        pythons = request.targets.pythons
        tools = {python: self._tools(python, request) for python in pythons}
        chosen: dict[Pinned, list[str]] = {}
        for python in pythons:
            for pinned in self._compile(tools[python], python, request, index_url):
                chosen.setdefault(pinned, []).append(python)
        found = (replace(pinned, marker=markers.for_pythons(those, pythons)) for pinned, those in chosen.items())
        return tuple(sorted(found, key=lambda pinned: (pinned.name, pinned.version)))

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

    def _compile(self, tools: Path, python: str, request: Request, index_url: str) -> list[Pinned]:
        """Return the lines of pip-compile's output."""
        with directories.scratch("resolve-") as directory:
            _write_inputs(directory, python, request)
            command: list[str | Path] = [tools, "-m", "piptools", "compile", "requirements.in", "--no-config"]
            command += ["--verbose", "--constraint", "constraints.txt", "--output-file", _OUTPUT]
            command += ["--resolver", "backtracking", "--strip-extras", "--allow-unsafe", "--no-header"]
            command += ["--no-annotate", "--no-emit-options", "--cache-dir", directory / "cache"]
            try:
                process.read(command, cwd=directory, env=_environment(directory, index_url))
            except process.CommandError as error:
                output = error.output.replace(index_url, "the index")
                raise pip_errors.explain(output, request, self.indexes) from None
            lines = (directory / _OUTPUT).read_text(encoding="utf-8").splitlines()
        found = (Requirement(line) for line in lines if line.strip() and not line.startswith(("#", "-")))
        return [
            Pinned(normalize(item.name), next(iter(item.specifier)).version)
            for item in found
            if normalize(item.name) not in request.provided
        ]


def _environment(directory: Path, index_url: str) -> dict[str, str]:
    return {
        **engine_environment(directory),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_INDEX_URL": index_url,
        "PIP_ONLY_BINARY": ":all:",
        # The toolkit repeats requests, and waits for the index; pip waits for the toolkit.
        "PIP_TIMEOUT": "86400",
        "PIP_RETRIES": "0",
    }


def _write_inputs(directory: Path, python: str, request: Request) -> None:
    texts = {
        # pip refuses a name of which all releases are withdrawn unless it has read by then the line that names one.
        "requirements.in": sorted(request.requirements, key=lambda text: "==" not in text),
        "constraints.txt": request.constraints,
        # Preferences are what stands in the output file.
        _OUTPUT: [kept.key for kept in request.preferences if _counts(kept.marker, python)],
    }
    for name, lines in texts.items():
        (directory / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _counts(marker: str, python: str) -> bool:
    return any(markers.holds(marker, environment) for environment in markers.python_environments(marker, python))
