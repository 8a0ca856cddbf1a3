"""Run the tests of a package against its wheel, offline, in a temporary environment."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from toolkit.build.building_options import BuildOptions
from toolkit.core import console, directories, files, process, progress
from toolkit.core.errors import UserError
from toolkit.install import service_environment
from toolkit.install.service_environment import ServiceEnvironment
from toolkit.model.names import normalize
from toolkit.project import source_files

_NO_TESTS = 5  # pytest's exit status, and since Python 3.12 unittest's, when there is no test
_MISSING_MODULE = re.compile(r"ModuleNotFoundError: No module named '(?P<name>[^'.]+)")


def run(plan: ServiceEnvironment, test_wheels: Sequence[Path], options: BuildOptions, scratch: Path) -> None:
    """Run the tests of the plan's package, and print their result, or why none were run.

    They run in a copy of the package without the modules that its wheel installs, so that the wheel is what is tested.
    Raises `UserError` when they fail.
    """
    package = plan.service
    if not (package.path / "tests").is_dir():
        console.step("TEST", f"{package.service_name}: there is no tests/ in it")
        return
    with directories.temporary(scratch, "tests-") as directory:
        root = install(plan, test_wheels, options, directory / "root")
        site_packages = root / plan.interpreter.site_packages
        copy = directory / package.path.name
        source_files.copy(package.path, copy)
        for path in site_packages.iterdir():
            if path.name != "tests":
                files.remove(copy / path.name)
        words = _command(copy, site_packages, package.path)
        if words:
            _run([str(root / "bin" / "python"), "-B", "-m", *words], root, copy, plan)


def install(plan: ServiceEnvironment, more: Sequence[Path], options: BuildOptions, destdir: Path) -> Path:
    """Install a service with `more` wheels, to be run below `destdir`, and return the root of its environment.

    The byte code for its final path will do here.
    """
    wheels: dict[str, Path] = {}
    for wheel in (*plan.wheels, *more):
        # What only developers have must not replace what is shipped.
        wheels.setdefault(normalize(wheel.name.partition("-")[0]), wheel)
    complete = replace(plan, wheels=tuple(wheels.values()))
    return service_environment.install(complete, destdir, options.store, options.jobs, runs_there=True).root


def variables(root: Path, *prefixes: str) -> dict[str, str]:
    """Return the variables of a program in the environment at `root`: this process's, but for those with `prefixes`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", *prefixes))}
    return {**kept, "PATH": f"{root / 'bin'}:{kept.get('PATH', os.defpath)}", "VIRTUAL_ENV": str(root)}


def _command(copy: Path, site_packages: Path, source: Path) -> list[str]:
    """Return the words that start the tests: pytest where it is installed, else unittest; none where neither can."""
    if (site_packages / "pytest").is_dir():
        return ["pytest", "-p", "no:cacheprovider", "tests"]
    missing = next(_missing(copy, site_packages), None)
    if missing:
        path, line, name = missing
        _warn_not_run(source, f"{source.name}/{path}:{line} imports {name}, which vendor/ has not", name)
        return []
    top = ["--top-level-directory", "."] if (copy / "tests" / "__init__.py").is_file() else []
    return ["unittest", "discover", "--start-directory", "tests", *top]


def _warn_not_run(source: Path, reason: str, missing: str) -> None:
    console.warn(
        f"the tests of {source.name}/ are not run: {reason}; "
        f"add {missing} to {source.name}/test-requirements.txt and run `make vendor`"
    )


def _missing(copy: Path, site_packages: Path) -> Iterator[tuple[str, int, str]]:
    """Yield the modules that the tests import and that are not installed: file, line, module."""
    known = {path.name.partition(".")[0] for path in (*site_packages.iterdir(), *copy.iterdir())}
    known |= {path.stem for path in (copy / "tests").rglob("*")} | sys.stdlib_module_names
    for path in sorted((copy / "tests").rglob("*.py")):
        for line, name in _imports(path):
            if name not in known:
                yield path.relative_to(copy).as_posix(), line, name


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the modules that a file imports unconditionally."""
    try:
        statements = ast.parse(path.read_bytes()).body
    except (SyntaxError, ValueError):
        return
    for statement in statements:
        if isinstance(statement, ast.Import):
            yield from ((statement.lineno, alias.name.partition(".")[0]) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            yield statement.lineno, statement.module.partition(".")[0]


def _run(command: list[str], root: Path, copy: Path, plan: ServiceEnvironment) -> None:
    name, source = plan.service.service_name, plan.service.path
    try:
        with progress.watching("TEST", name) as watch:
            output = process.run(command, cwd=copy, env=variables(root, "PYTEST"), watch=watch)
    except process.CommandError as error:
        if error.status != _NO_TESTS:
            raise _failure(name, source, error) from error
        output = "Ran 0 tests"
    summary = [
        line.strip(" =") for line in output.splitlines() if re.search(r" (passed|skipped)\b|^Ran \d+ test", line)
    ]
    if summary and summary[-1].startswith("Ran 0 tests"):
        _warn_not_run(source, "there is no unittest in them", "pytest")
    else:
        console.step("TEST", f"{name}: {summary[-1] if summary else 'all tests passed'}")


def _failure(name: str, source: Path, error: process.CommandError) -> UserError:
    missing = _MISSING_MODULE.search(error.output)
    hint = "mend them; `DEB_BUILD_OPTIONS=nocheck make deb` builds without running tests"
    if missing:
        hint = f"add what provides `{missing['name']}` to {source.name}/test-requirements.txt and run `make vendor`"
    return UserError(f"{name}: its tests fail", hint, error.output)
