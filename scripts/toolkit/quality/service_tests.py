"""Run the tests of a package against its wheel, in a temporary environment, inside the sandbox."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from toolkit.build.building_options import BuildOptions
from toolkit.core import console, files, process, progress
from toolkit.core.errors import UserError
from toolkit.install.service_environment import ServiceEnvironment
from toolkit.project import lines, source_files
from toolkit.project.discovery import Package
from toolkit.quality import missing_module, workplace
from toolkit.quality.reports import Reports
from toolkit.quality.workplace import Workplace
from toolkit.requirements import requirement_files
from toolkit.requirements.requirements import TESTS_FILE
from toolkit.sandbox.limits import Limits

#: Where pytest looks for its settings, and what it looks for there.
_SETTINGS = {
    **dict.fromkeys(("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"), b""),
    "pyproject.toml": b"[tool.pytest",
    "tox.ini": b"[pytest]",
    "setup.cfg": b"[tool:pytest]",
}
_NO_TESTS = 5  # pytest's exit status, and since Python 3.12 unittest's, when there is no test
#: The last line of unittest, and of pytest with what it counts: what else stands in a line is not told as ours.
_COUNT = r"\d+ (?:passed|skipped|deselected|xfailed|xpassed|warnings?|subtests passed|subtests skipped)"
_SUMMARY = re.compile(
    rf"=* ?(?P<text>Ran \d+ tests? in [\d.]+s|{_COUNT}(?:, {_COUNT})* in [\d.]+s(?: \([\d:]+\))?) ?=*"
)
_MISSING_MODULE = re.compile(r"ModuleNotFoundError: No module named '(?P<name>[^'.]+)")


def is_configured(directory: Path) -> bool:
    """Tell whether a directory, or tests/ in it, has settings for pytest (https://docs.pytest.org/en/stable/reference/customize.html)."""
    return any(
        path.is_file() and section in path.read_bytes()
        for place in (directory, directory / "tests")
        for name, section in _SETTINGS.items()
        for path in (place / name,)
    )


def run(
    plan: ServiceEnvironment,
    test_wheels: Sequence[Path],
    options: BuildOptions,
    scratch: Path,
    reports: Reports | None = None,
) -> None:
    """Run the tests of the plan's package, and print their result, or why none were run.

    They run in a copy of the package without the modules that its wheel installs, so that the wheel is what is tested.
    Raises `UserError` when they fail.
    """
    package = plan.service
    if not (package.path / "tests").is_dir():
        console.step("TEST", f"{package.service_name}: there is no tests/ in it")
        return
    with workplace.made(plan, test_wheels, options, scratch) as place:
        copy = place.sources / package.path.name
        source_files.copy(package.path, copy)
        for path in place.site_packages.iterdir():
            if path.name != "tests":
                files.remove(copy / path.name)
        words = _command(copy, place.site_packages, package)
        log = scratch / "logs" / f"test-{package.service_name}.log"
        if words and reports:
            _run_and_report(words, place, package, log, reports)
        elif words:
            _run(words, place, package, log)


def _run_and_report(words: Sequence[str], place: Workplace, package: Package, log: Path, reports: Reports) -> None:
    if words[0] != "pytest":
        file = requirement_files.shown(package, TESTS_FILE)
        console.warn(f"{package.service_name}: unittest reports nothing; add pytest to {file} and run `make vendor`")
    else:
        words = [*words, *reports.options(place, package)]
    try:
        _run(words, place, package, log)
    finally:
        reports.keep(place, package)


def _command(copy: Path, site_packages: Path, package: Package) -> list[str]:
    """Return the words that start the tests: pytest where it is installed, else unittest; none where neither can."""
    if (site_packages / "pytest").is_dir():
        # Without settings of its own it would take those of a directory above, which may be there and forbidden.
        settings = [] if is_configured(copy) else ["-c", os.devnull, "--rootdir", ".", "--confcutdir", "."]
        return ["pytest", "-p", "no:cacheprovider", *settings, "tests"]
    missing = next(_missing(copy, site_packages), None)
    if missing:
        path, line, name = missing
        file = lines.shown(package.path / path, package.root or package.path.parent)
        file_of = missing_module.file_of(package, name)
        _warn_not_run(package, f"{file}:{line} imports {name}, which vendor/ has not", name, file_of)
        return []
    top = ["--top-level-directory", "."] if (copy / "tests" / "__init__.py").is_file() else []
    return ["unittest", "discover", "--start-directory", "tests", *top]


def _warn_not_run(package: Package, reason: str, missing: str, file: str) -> None:
    where = lines.shown(package.path, package.root or package.path.parent)
    console.warn(f"the tests of {where}/ are not run: {reason}; add {missing} to {file} and run `make vendor`")


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


def _run(words: Sequence[str], place: Workplace, package: Package, log: Path) -> None:
    name, source = package.service_name, package.path
    try:
        with progress.watching("TEST", name) as watch:
            output = place.run(words, source.name, log, watch)
    except process.CommandError as error:
        if error.status != _NO_TESTS:
            raise _failure(package, error, place.sandbox.limits) from error
        output = "Ran 0 tests in 0s"
    summary = [found["text"] for line in output.splitlines() if (found := _SUMMARY.fullmatch(line))]
    if summary and summary[-1].startswith("Ran 0 tests"):
        file = requirement_files.shown(package, TESTS_FILE)
        _warn_not_run(package, "there is no unittest in them", "pytest", file)
    else:
        console.step("TEST", f"{name}: {summary[-1] if summary else 'all tests passed'}")


def _failure(package: Package, error: process.CommandError, limits: Limits) -> UserError:
    missing = _MISSING_MODULE.search(error.output)
    hint = "mend them; `DEB_BUILD_OPTIONS=nocheck make deb` builds without running tests"
    if missing:
        file = missing_module.file_of(package, missing["name"])
        hint = f"add what provides `{missing['name']}` to {file} and run `make vendor`"
    elif refused := limits.suggestion(error.output):
        hint = f"{hint}; {refused}"
    return UserError(f"{package.service_name}: its tests fail", hint, error.output)
