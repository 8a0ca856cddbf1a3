"""Everything in an installed environment is loaded once, inside the sandbox: each module and each shared library."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from toolkit.build import system_programs, wheel_build
from toolkit.build.building_options import BuildOptions
from toolkit.core import directories, documents, files, process, progress
from toolkit.core.documents import Table
from toolkit.core.errors import UserError
from toolkit.install import shown_sources
from toolkit.install.loadable import Installed
from toolkit.model.interpreter import Interpreter
from toolkit.sandbox.view import ENVIRONMENT, HOME, ROOT, View

WORKER = Path(__file__).with_name("load_worker.py")
_INSIDE_WORKER, _REQUEST, _OUTPUT = f"{ROOT}/load_worker.py", f"{ROOT}/request.json", f"{ROOT}/output"
_INSTALLED = f"{ROOT}/installed"
#: The most that one module may take.
_SECONDS = 120
_LONGEST_RESULT = 64 << 20


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A module or a library (`is_module`) that does not load, and the error: its class, those above it, what it says.

    `file` is where it was raised, from the environment on where it is in there; `about` is the module or the file that
    it names, `traceback` all of it. `libraries` are those of the system that it has looked for in vain.
    """

    is_module: bool
    name: str
    error: str
    bases: tuple[str, ...]
    text: str
    file: str
    about: str
    traceback: tuple[str, ...]
    libraries: tuple[str, ...] = ()


def load(
    root: Path,
    found: Sequence[Installed],
    interpreter: Interpreter,
    options: BuildOptions,
    log: Path,
    absent: Collection[str] = (),
    seconds: int = _SECONDS,
    beside: Iterable[Path] = (),
) -> list[Failure]:
    """Load what the environment at `root` holds, `options.jobs` at once; return what fails, even when tried by itself.

    Each may take so many `seconds`. `absent` are modules of the standard library that are not to be found; of `beside`,
    files and directories of sources, there is what belongs to these, at the same paths. The output goes to `log`.
    Raises `UserError` where the run itself fails.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with directories.temporary(log.parents[1], "load-") as scratch:
        view = View(
            temporary=scratch / "tmp",
            writable={HOME: scratch / "home", _OUTPUT: scratch / "output"},
            readable={
                ENVIRONMENT: scratch / "environment",
                _INSTALLED: root,
                _INSIDE_WORKER: WORKER,
                _REQUEST: scratch / "request.json",
            },
        )
        for path in (*view.own, scratch / "environment"):
            path.mkdir()
        environment, installed, output, worker, request = (
            options.sandbox.place(path, view) for path in (ENVIRONMENT, _INSTALLED, _OUTPUT, _INSIDE_WORKER, _REQUEST)
        )
        python = _stand_in(scratch / "environment", root, installed, interpreter)
        sources = shown_sources.show(beside, scratch / "sources", options.sandbox)
        own = wheel_build.interpreter_files(python, options.sandbox.hidden)
        readable = {**view.readable, **sources.readable, **own}
        view = replace(view, readable=readable)
        asked = request_for(environment, found, options.jobs, absent, seconds, tuple(sources.stand_ins))
        view.readable[_REQUEST].write_text(asked, encoding="utf-8")
        words = [f"{environment}/bin/python", "-I", "-B", worker, request, f"{output}/result.json"]
        variables = {"PATH": f"{installed}/bin:{system_programs.PATH}", **options.sandbox.variables(view)}
        try:
            with progress.watching("LOAD", root.name) as watch:
                options.sandbox.run(words, view, directory=output, environment=variables, log=log, watch=watch)
            found_out = read_result(
                files.read_foreign(scratch / "output" / "result.json", _LONGEST_RESULT), environment
            )
        except (process.CommandError, OSError, ValueError) as error:
            raise UserError(
                f"{root.name}: what is installed could not be loaded ({error})", f"see what it printed in {log}"
            ) from None
        return [replace(each, traceback=tuple(map(sources.real, each.traceback))) for each in found_out]


def _stand_in(directory: Path, root: Path, installed: str, interpreter: Interpreter) -> Path:
    """Make an environment of links to another one, and return its interpreter.

    That of a package's tree leads nowhere: dh_link makes links relative, as they will be (Policy 10.5).
    """
    (directory / "bin").mkdir()
    python = directory / "bin" / "python"
    python.symlink_to(interpreter.path)
    for entry in root.iterdir():
        if entry.name != "bin":
            (directory / entry.name).symlink_to(f"{installed}/{entry.name}")
    return python


def request_for(
    environment: str,
    found: Sequence[Installed],
    jobs: int,
    absent: Collection[str] = (),
    seconds: int = _SECONDS,
    paths: Sequence[str] = (),
) -> str:
    """Return what asks the worker to load these, of an environment at this path, so many at once.

    Modules are also found in `paths`.
    """
    groups = [
        {"modules": item.modules, "libraries": [f"{environment}/{name}" for name in item.libraries]} for item in found
    ]
    return json.dumps({"groups": groups, "jobs": jobs, "seconds": seconds, "absent": sorted(absent), "paths": paths})


def read_result(content: bytes, environment: str) -> list[Failure]:
    """Return the failures in a worker's result, with paths from the environment on. Raises `ValueError`."""
    values = documents.json_value(content)
    if not isinstance(values, list):
        raise ValueError("no list")
    return [_failure(Table(cast("dict[str, object]", value)), f"{environment}/") for value in values]


def _failure(table: Table, start: str) -> Failure:
    return Failure(
        is_module=table.flag("is_module"),
        name=table.text("name").removeprefix(start),
        error=table.text("type"),
        bases=table.texts("bases"),
        text=" ".join(table.text("text").replace(start, "").split()),
        file=table.text("file").removeprefix(start),
        about=table.text("about").removeprefix(start),
        traceback=tuple(line.replace(start, "") for line in table.texts("traceback")),
        libraries=table.texts("libraries"),
    )
