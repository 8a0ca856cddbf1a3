"""Run the linters of a package on copies of its sources, beside all its dependencies, inside the sandbox."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.build import interpreters, wheels
from toolkit.build.building_options import BuildOptions
from toolkit.build.wheels import Built
from toolkit.core import console, files, process, progress
from toolkit.core.errors import UserError
from toolkit.install import installation
from toolkit.install.service_environment import ServiceEnvironment
from toolkit.model.interpreter import Interpreter
from toolkit.model.names import normalize
from toolkit.project import package_search, source_files
from toolkit.project.discovery import Package, Project
from toolkit.project.settings import Settings
from toolkit.quality import linters, workplace
from toolkit.quality.linters import ChosenLinter, Linter
from toolkit.quality.workplace import Workplace
from toolkit.requirements import requirement_files
from toolkit.requirements.requirements import DEVELOPMENT_FILE
from toolkit.vendored import lock_file

_SYNTAX_WORKER = Path(__file__).with_name("syntax_worker.py")
#: The suffixes of what a linter's own settings may name: a file to extend, a plug-in.
_SETTINGS = (".py", ".toml", ".cfg", ".ini")


@dataclass(frozen=True, kw_only=True)
class Linting:
    """One package's linters: `plan` is its environment, `tools` the wheels of its developers and tests."""

    project: Project
    plan: ServiceEnvironment
    linters: Sequence[ChosenLinter]
    tools: Sequence[Path]
    scratch: Path


def find_faults(
    project: Project, settings: Settings, options: BuildOptions, packages: Sequence[Package]
) -> dict[str, dict[str, str]]:
    """Return the output of linters that found something in `packages`, which have locks, by service and linter.

    Without a linter it is the output of a syntax check.
    """
    used = {package: linters.choose(project, package) for package in packages}
    # What is for all of the project's developers is in the first one's lock.
    needed = dict.fromkeys((project.locked[0], *packages))
    built = None
    if any(used.values()):
        built = wheels.build(project, settings, options, needed, tests=True, development=True)
    faults = {}
    for package in packages:
        if built and used[package]:
            found = run(_linting(project, settings, package, built, used[package]), options)
        else:
            locked = lock_file.of_package(project, package, settings.vendor)
            output = check_syntax(package, interpreters.find(locked.pythons, options.python))
            found = {"the syntax check": output} if output else {}
        faults[package.service_name] = found
    return faults


def _linting(
    project: Project, settings: Settings, package: Package, built: Built, chosen: Sequence[ChosenLinter]
) -> Linting:
    name = project.lock_name(package)
    # That of the first one, which has what is for all developers, fits the same interpreter.
    first = project.lock_name(project.locked[0])
    shared = built.tests[first] if built.interpreters[first] == built.interpreters[name] else ()
    return Linting(
        project=project,
        plan=installation.plan(package, name, settings, built),
        linters=chosen,
        tools=(*built.tests[name], *shared),
        scratch=settings.build,
    )


def run(linting: Linting, options: BuildOptions) -> dict[str, str]:
    """Run every linter and return the output of those that find faults, by their names.

    Raises `UserError`, also for one that is not vendored.
    """
    cache = _cache(linting, options)
    with (
        files.exclusive(cache, "lint"),
        workplace.made(linting.plan, linting.tools, options, linting.scratch, cache) as place,
    ):
        for chosen in linting.linters:
            if not (place.site_packages / chosen.linter.name).is_dir():
                raise _missing(chosen, linting.plan.service)
        _copy_sources(linting.project, place.sources)
        outputs = {chosen.linter.name: _lint(chosen, place, linting) for chosen in linting.linters}
    return {name: output for name, output in outputs.items() if output}


def _cache(linting: Linting, options: BuildOptions) -> Path:
    """Return the directory that linters keep for their next run, and remove what a service's earlier ones have left.

    Whatever runs beside a linter can write to it, and a linter believes it (pylint unpickles it): only where the same
    wheels of others ran may it be read again. The project's own change with every edit.
    """
    own = {normalize(package.name) for package in linting.project.packages}
    others = sorted(
        f"{wheel.name} {files.sha256(wheel)}"
        for wheel in {*linting.plan.wheels, *linting.tools}
        if normalize(wheel.name.partition("-")[0]) not in own
    )
    ran = "\n".join((options.sandbox.mode, str(linting.plan.interpreter.path), *others))
    parent = files.private_directory(linting.scratch / "lint") / linting.plan.service.name
    cache = parent / hashlib.sha256(ran.encode()).hexdigest()[:16]
    for outdated in parent.glob("*"):
        if outdated != cache:
            # What still runs there could put a link in the place of what is removed.
            with files.exclusive(outdated, "lint"):
                files.remove(outdated)
    return cache


def _copy_sources(project: Project, target: Path) -> None:
    """Copy the sources of all packages, which linters follow imports to, and what may configure a linter."""
    for package in project.packages:
        copy = target / project.shown(package.path)
        source_files.copy(package.path, copy)
        _copy_settings(package.path, copy)
    _copy_settings(project.root, target)


def _copy_settings(directory: Path, target: Path) -> None:
    for path in directory.iterdir():
        if path.is_file() and (path.name in linters.FILES or path.suffix in _SETTINGS):
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target / path.name)


def _missing(chosen: ChosenLinter, package: Package) -> UserError:
    name = chosen.linter.name
    binary = f", {name} to {package.path.name}/vendor.txt (there is no building it offline)" if name == "ruff" else ""
    return UserError(
        f"{chosen.origin} {name}, which vendor/ has not",
        f"add {name} to {requirement_files.shown(package, DEVELOPMENT_FILE)}{binary} and run `make vendor`",
    )


def _lint(chosen: ChosenLinter, place: Workplace, linting: Linting) -> str:
    """Run one linter and return its output where it finds faults. Raises `UserError` when it cannot do its work."""
    linter, package = chosen.linter, linting.plan.service
    paths = [os.path.relpath(package.path / path, chosen.directory) for path in sources(package, linter)]
    if not paths:
        # Without a path, some would look at every file there is.
        console.step("LINT", f"{package.service_name}: there is no file for {linter.name}")
        return ""
    directory = linting.project.shown(chosen.directory)
    log = linting.scratch / "logs" / f"lint-{package.service_name}-{linter.name}.log"
    words = [linter.name, *linter.words, *paths]
    try:
        with progress.watching("LINT", f"{package.service_name}: {linter.name}") as watch:
            place.run(words, directory, log, watch, _variables(place, linting.project))
    except process.CommandError as error:
        if error.status not in linter.faults:
            raise UserError(
                f"{package.service_name}: {linter.name} could not do its work (status {error.status})",
                place.sandbox.limits.suggestion(error.output) or f"see above what it says; {chosen.origin} it",
                error.output,
            ) from None
        return error.output or str(error)
    console.step("LINT", f"{package.service_name}: {linter.name} finds no fault")
    return ""


def _variables(place: Workplace, project: Project) -> dict[str, str]:
    local = (path for package in project.packages for path in source_files.import_roots(package.path))
    return {
        # Packages of the project may be untyped as they are installed; their sources are followed.
        "MYPYPATH": ":".join(place.place(f"{workplace.SOURCES}/{project.shown(path)}") for path in local),
        "MYPY_CACHE_DIR": place.place(f"{workplace.CACHE}/mypy"),
        "PYLINTHOME": place.place(f"{workplace.CACHE}/pylint"),
    }


def sources(package: Package, linter: Linter) -> list[Path]:
    """Return the paths that a linter is given, relative to the package: modules, directories of modules, scripts."""
    own = _python_files(package)
    nested = [path.relative_to(package.path) for path in package_search.search(package.path) if path != package.path]
    # Linters search directories themselves, and would go into one that holds another package.
    shared = {path.parts[0] for path in nested}
    modules = dict.fromkeys(
        path if path.parts[0] in shared else Path(path.parts[0]) for path in own if path.suffix == ".py"
    )
    scripts = [path for path in own if path.suffix != ".py"]
    return [*modules, *(scripts if linter.reads_scripts else ())]


def _python_files(package: Package) -> list[Path]:
    """Return the modules and the Python scripts of a package, relative to it."""
    own = source_files.source_files(package.path)
    return [path for path in own if path.suffix == ".py" or (not path.suffix and _is_script(package.path / path))]


def _is_script(path: Path) -> bool:
    with path.open("rb") as stream:
        first = stream.readline(200)
    return first.startswith(b"#!") and b"python" in first


def check_syntax(package: Package, used: Interpreter) -> str:
    """Return the faults in the syntax of a package without a linter, as its interpreter sees them."""
    paths = _python_files(package)
    try:
        process.run([used.path, "-I", "-B", _SYNTAX_WORKER, *paths], cwd=package.path)
    except process.CommandError as error:
        return error.output
    console.step(
        "LINT",
        f"{package.service_name}: {len(paths)} files are Python {used.version}; to have more checked, name "
        f"a linter (ruff, flake8, pylint, mypy) in {requirement_files.shown(package, DEVELOPMENT_FILE)}",
    )
    return ""
