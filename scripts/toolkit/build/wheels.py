"""The wheels of a project: everything its locks name and its own packages, built or found in the wheel store."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolkit.build import completeness, interpreters, system_programs
from toolkit.build.building_options import BuildOptions
from toolkit.build.plan import Node, Planner
from toolkit.build.scheduler import Builder
from toolkit.core import directories, files
from toolkit.core.errors import UserError
from toolkit.model.interpreter import Interpreter
from toolkit.model.lock import Lock
from toolkit.project.discovery import Package, Project
from toolkit.project.settings import Settings
from toolkit.vendored import lock_file
from toolkit.wheel.store import Store


@dataclass(frozen=True, kw_only=True)
class Built:
    """Finished wheels, by lock name: what to install at run time, and what tests need besides."""

    runtime: Mapping[str, tuple[Path, ...]]
    tests: Mapping[str, tuple[Path, ...]]
    interpreters: Mapping[str, Interpreter]


def build(
    project: Project,
    settings: Settings,
    options: BuildOptions,
    packages: Iterable[Package] | None = None,
    *,
    tests: bool = False,
    development: bool = False,
) -> Built:
    """Build what the locks of `packages` (None: every lock of the project) name, and return the wheels.

    Those that only tests and only developers need are built with `tests` and `development`. `vendor/` has been
    checked before. Raises `UserError` for a missing interpreter, a build that fails, a cycle, and for a wheel that
    requires what is not among them; and for one that is to be for another architecture.
    """
    _refuse_cross()
    chosen = project.locked if packages is None else packages
    locks = [lock_file.read(lock_file.path_of(settings.vendor, project.lock_name(each))) for each in chosen]
    planners = {lock.service: _planner(lock, settings, options, settings.vendor.joinpath) for lock in locks}
    runtime = {name: planner.runtime() for name, planner in planners.items()}
    for_tests = {
        name: (*(planner.tests() if tests else ()), *(planner.development() if development else ()))
        for name, planner in planners.items()
    }
    # By lock: what two of them share is one node, but a wheel for the interpreter of each.
    wheels: dict[str, Mapping[Node, Path]] = {}
    with _scratch(settings) as scratch:
        for used in {planner.interpreter.path: planner.interpreter for planner in planners.values()}.values():
            names = [name for name, planner in planners.items() if planner.interpreter == used]
            nodes = [node for name in names for node in (*runtime[name], *for_tests[name])]
            wheels |= dict.fromkeys(names, _builder(used, settings, options, scratch).build(nodes))
    for name, planner in planners.items():
        installed = [wheels[name][node] for node in runtime[name]]
        kept = settings.build / "complete" / name
        completeness.require(project, planner.lock, installed, planner.interpreter, kept)
    return Built(
        runtime={name: tuple(wheels[name][node] for node in nodes) for name, nodes in runtime.items()},
        tests={name: tuple(wheels[name][node] for node in nodes) for name, nodes in for_tests.items()},
        interpreters={name: planner.interpreter for name, planner in planners.items()},
    )


def attempt(
    lock: Lock, settings: Settings, options: BuildOptions, vendored: Callable[[str], Path]
) -> dict[str, UserError]:
    """Build all that a lock names, what is for tests and developers too; return what fails.

    That is by `name==version`, or `local name`. `vendored` gives the path of a file that the lock names: vendor/ need
    not have it yet.
    """
    planner = _planner(lock, settings, options, vendored)
    failed: dict[Node, UserError] = {}
    with _scratch(settings) as scratch:
        nodes = (*planner.runtime(), *planner.tests(), *planner.development())
        _builder(planner.interpreter, settings, options, scratch).build(nodes, failed)
    return {f"local {node.name}" if node.local else node.key: error for node, error in failed.items()}


def build_nodes(
    nodes: Iterable[Node], used: Interpreter, settings: Settings, options: BuildOptions
) -> tuple[dict[Node, Path], frozenset[Node]]:
    """Build single wheels, for one interpreter, and return which of them lack something; raises as `build` does."""
    with _scratch(settings) as scratch:
        builder = _builder(used, settings, options, scratch)
        return builder.build(nodes), frozenset(builder.incomplete)


def _refuse_cross() -> None:
    """Raise `UserError` in a package build for another architecture: extensions would be for this one, or left out."""
    # dpkg-buildpackage tells by these; see dpkg-architecture(1).
    host, here = (os.environ.get(f"DEB_{machine}_ARCH", "") for machine in ("HOST", "BUILD"))
    if host and here and host != here:
        raise UserError(f"wheels for {host} are not built on {here}", f"build on a machine, or in a chroot, of {host}")


def _planner(lock: Lock, settings: Settings, options: BuildOptions, vendored: Callable[[str], Path]) -> Planner:
    found = interpreters.find(lock.pythons, options.python)
    return Planner(lock=lock, interpreter=found, project=settings.project, vendored=vendored)


def _builder(used: Interpreter, settings: Settings, options: BuildOptions, scratch: Path) -> Builder:
    own = scratch / f"python{used.version}"
    own.mkdir()
    return Builder(
        interpreter=used,
        store=Store(options.store),
        scratch=own,
        logs=settings.build / "logs",
        jobs=options.jobs,
        sandbox=options.sandbox,
        system=system_programs.of_project(settings.project),
        may_lack=options.may_lack,
    )


@contextmanager
def _scratch(settings: Settings) -> Iterator[Path]:
    """Give the builds of this run a directory; two runs in one project wait for each other.

    Its path is the same each time: where no sandbox gives them other paths, some results name it (maturin's SBOM).
    """
    # Builds have it in CFLAGS then, which many of them split at blanks, and know of no quotes.
    is_plain = shlex.quote(str(settings.build)) == str(settings.build)
    made = directories.at(settings.build / "wheels.tmp") if is_plain else directories.scratch("wheels-")
    with files.exclusive(settings.build, "build"), made as scratch:
        yield scratch
