"""Run the linters of a package on its sources, offline, beside all that it is installed with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from toolkit.build.building_options import BuildOptions
from toolkit.core import console, directories, process, progress
from toolkit.core.errors import UserError
from toolkit.install.service_environment import ServiceEnvironment
from toolkit.model.interpreter import Interpreter
from toolkit.model.names import normalize
from toolkit.project import package_search, source_files
from toolkit.project.discovery import Package, Project
from toolkit.quality import service_tests
from toolkit.quality.linters import ChosenLinter, Linter
from toolkit.wheel import environment

_SYNTAX_WORKER = Path(__file__).with_name("syntax_worker.py")


@dataclass(frozen=True, kw_only=True)
class Linting:
    """One package's linters: `plan` is what is installed with it, `tools` the wheels of its developers and tests."""

    project: Project
    plan: ServiceEnvironment
    wanted: Sequence[ChosenLinter]
    tools: Sequence[Path]
    scratch: Path


def run(linting: Linting, options: BuildOptions) -> dict[str, str]:
    """Run every linter and return what those that find faults say, by their names. Raises `UserError`.

    One that is wanted and not vendored is an error, never left out.
    """
    with directories.temporary(linting.scratch, "lint-") as directory:
        plan = replace(linting.plan, wheels=_without_doubles([*linting.plan.wheels, *linting.tools]))
        root = service_tests.install(plan, options, directory / "root")
        site_packages = environment.site_packages(root, plan.interpreter)
        for wanted in linting.wanted:
            if not (site_packages / wanted.linter.name).is_dir():
                raise missing(wanted, plan.service)
        said = {wanted.linter.name: _lint(wanted, root, linting) for wanted in linting.wanted}
    return {name: output for name, output in said.items() if output}


def _without_doubles(wheels: Sequence[Path]) -> list[Path]:
    """Return the first wheel of each distribution: what only developers have must not replace what is shipped."""
    found: dict[str, Path] = {}
    for wheel in wheels:
        found.setdefault(normalize(wheel.name.partition("-")[0]), wheel)
    return list(found.values())


def missing(wanted: ChosenLinter, package: Package) -> UserError:
    """Return the error of a linter that vendor/ does not hold."""
    name = wanted.linter.name
    binary = f", {name} to {package.path.name}/vendor.txt (there is no building it offline)" if name == "ruff" else ""
    return UserError(
        f"{wanted.origin} {name}, which vendor/ has not",
        f"add {name} to {package.path.name}/dev-requirements.txt{binary} and run `make vendor`",
    )


def _lint(wanted: ChosenLinter, root: Path, linting: Linting) -> str:
    """Run one linter and return what it says of faults. Raises `UserError` when it cannot do its work."""
    linter, package = wanted.linter, linting.plan.service
    paths = [os.path.relpath(package.path / path, wanted.directory) for path in sources(package, linter)]
    if not paths:
        # Without a path, some would look at all there is.
        console.step("LINT", f"{package.service_name}: there is no file for {linter.name}")
        return ""
    words = [str(root / "bin" / "python"), "-B", "-m", linter.name, *linter.words, *paths]
    try:
        with progress.watching("LINT", f"{package.service_name}: {linter.name}") as watch:
            process.run(words, cwd=wanted.directory, env=_variables(root, linting), watch=watch)
    except process.CommandError as error:
        if error.status not in linter.found:
            raise UserError(
                f"{package.service_name}: {linter.name} could not do its work (status {error.status})",
                f"see above what it says; {wanted.origin} it",
                error.output,
            ) from None
        return error.output or str(error)
    console.step("LINT", f"{package.service_name}: {linter.name} finds no fault")
    return ""


def _variables(root: Path, linting: Linting) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "MYPY", "RUFF", "PYLINT"))}
    cache = linting.scratch / "lint"
    local = (str(path) for package in linting.project.packages for path in source_files.import_roots(package.path))
    return {
        **kept,
        "PATH": f"{root / 'bin'}:{kept.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(root),
        # Packages of the project may be untyped as they are installed; their sources are followed.
        "MYPYPATH": ":".join(local),
        "MYPY_CACHE_DIR": str(cache / "mypy"),
        "PYLINTHOME": str(cache / "pylint"),
    }


def sources(package: Package, linter: Linter | None = None) -> list[Path]:
    """Return what of a package is linted, relative to it: modules, directories with modules, scripts."""
    own = list(source_files.source_files(package.path))
    nested = [path.relative_to(package.path) for path in package_search.search(package.path) if path != package.path]
    # Linters search directories on their own, and would go into one that holds another package.
    shared = {path.parts[0] for path in nested}
    modules = dict.fromkeys(
        path if path.parts[0] in shared else Path(path.parts[0]) for path in own if path.suffix == ".py"
    )
    scripts = [path for path in own if not path.suffix and _is_script(package.path / path)]
    return [*modules, *(scripts if not linter or linter.reads_scripts else ())]


def _is_script(path: Path) -> bool:
    with path.open("rb") as stream:
        first = stream.readline(200)
    return first.startswith(b"#!") and b"python" in first


def check_syntax(package: Package, used: Interpreter) -> str:
    """Return what is no Python of the package's interpreter among its files, for a package without a linter."""
    own = source_files.source_files(package.path)
    paths = [str(path) for path in own if path.suffix == ".py" or (not path.suffix and _is_script(package.path / path))]
    try:
        process.run([used.path, "-I", "-B", _SYNTAX_WORKER, *paths], cwd=package.path)
    except process.CommandError as error:
        return error.output
    console.step(
        "LINT",
        f"{package.service_name}: {len(paths)} files are Python {used.version}; to have more checked, name "
        f"a linter (ruff, flake8, pylint, mypy) in {package.path.name}/dev-requirements.txt",
    )
    return ""
