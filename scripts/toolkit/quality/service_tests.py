"""Run the tests of a package against what was built, offline, in an environment that is thrown away afterwards."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from toolkit.build.building_options import BuildOptions
from toolkit.core import console, directories, files, process, progress
from toolkit.core.errors import UserError
from toolkit.install import service_environment
from toolkit.install.service_environment import ServiceEnvironment
from toolkit.project import source_files
from toolkit.wheel import environment

_NO_TESTS = 5  # pytest's exit status, and since Python 3.12 unittest's, when there is no test
_MISSING_MODULE = re.compile(r"ModuleNotFoundError: No module named '(?P<name>[^'.]+)")


def run(plan: ServiceEnvironment, test_wheels: tuple[Path, ...], options: BuildOptions, scratch: Path) -> None:
    """Run the tests of the plan's package, and say what came of it, or why none were run.

    They run beside a copy of the package from which the modules that its wheel installs are taken out, so that
    the wheel is what is tested. Raises `UserError` when they fail.
    """
    package = plan.service
    if not (package.path / "tests").is_dir():
        console.step("TEST", f"{package.service_name}: there is no tests/ in it")
        return
    with directories.temporary(scratch, "tests-") as directory:
        wheels = tuple(dict.fromkeys([*plan.wheels, *test_wheels]))
        root = install(replace(plan, wheels=wheels), options, directory / "root")
        site_packages = environment.site_packages(root, plan.interpreter)
        copy = directory / package.path.name
        source_files.copy(package.path, copy)
        _take_out(copy, {path.name for path in site_packages.iterdir()})
        words = _command(copy, site_packages, package.path)
        if words:
            _run([str(root / "bin" / "python"), "-B", "-m", *words], root, copy, plan)


def install(plan: ServiceEnvironment, options: BuildOptions, destdir: Path) -> Path:
    """Install a service to be run below `destdir`, and return where; the byte code for its final path does here."""
    return service_environment.install(plan, destdir, options.store, options.jobs, runs_there=True).root


def _take_out(copy: Path, installed: set[str]) -> None:
    for path in [*copy.iterdir()]:
        if path.name not in installed or path.name == "tests":
            continue
        files.remove(path)


def _command(copy: Path, site_packages: Path, source: Path) -> list[str]:
    """Return the words that start the tests: pytest where it is installed, else unittest; none where that cannot do."""
    if (site_packages / "pytest").is_dir():
        return ["pytest", "-p", "no:cacheprovider", "tests"]
    wanted = list(_missing(copy, site_packages))
    if wanted:
        path, line, name = wanted[0]
        _not_run(source, f"{source.name}/{path}:{line} imports {name}, which vendor/ has not", name)
        return []
    top = ["--top-level-directory", "."] if (copy / "tests" / "__init__.py").is_file() else []
    return ["unittest", "discover", "--start-directory", "tests", *top]


def _not_run(source: Path, reason: str, wanted: str) -> None:
    console.warn(
        f"the tests of {source.name}/ are not run: {reason}; "
        f"add {wanted} to {source.name}/test-requirements.txt and run `make vendor`"
    )


def _missing(copy: Path, site_packages: Path) -> Iterator[tuple[str, int, str]]:
    """Yield what the tests import and nobody provides: file, line, module."""
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
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST"))}
    variables = {**clean, "PATH": f"{root / 'bin'}:{clean.get('PATH', os.defpath)}", "VIRTUAL_ENV": str(root)}
    try:
        with progress.watching("TEST", name) as watch:
            output = process.run(command, cwd=copy, env=variables, watch=watch)
    except process.CommandError as error:
        if error.status != _NO_TESTS:
            raise _failure(name, source, error) from error
        output = "Ran 0 tests"
    summary = [
        line.strip(" =") for line in output.splitlines() if re.search(r" (passed|skipped)\b|^Ran \d+ test", line)
    ]
    if summary and summary[-1].startswith("Ran 0 tests"):
        _not_run(source, "there is no unittest in them", "pytest")
    else:
        console.step("TEST", f"{name}: {summary[-1] if summary else 'all tests passed'}")


def _failure(name: str, source: Path, error: process.CommandError) -> UserError:
    missing = _MISSING_MODULE.search(error.output)
    hint = "mend them; `DEB_BUILD_OPTIONS=nocheck make deb` builds without running tests"
    if missing:
        hint = f"add what provides `{missing['name']}` to {source.name}/test-requirements.txt and run `make vendor`"
    return UserError(f"{name}: its tests fail", hint, error.output)
