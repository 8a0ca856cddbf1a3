"""The facts for a bug report: the project as it was found, each setting, each tool and its version."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from toolkit.build import building_options, interpreters, pyenv
from toolkit.core import debian_packages, files, os_release, process, secrets
from toolkit.core.errors import UserError
from toolkit.core.sizes import human
from toolkit.model.names import normalize
from toolkit.project import python_version, submodules
from toolkit.project.discovery import Package, Project, discover
from toolkit.project.settings import Settings, default_of
from toolkit.sandbox.confined import Sandbox
from toolkit.vendored import check, lock_file

Pair = tuple[str, str]
Section = tuple[str, Sequence[Pair]]

#: Programs that are asked for their versions, which takes more than a second.
COMMANDS = (
    "bwrap",
    "git",
    "make",
    "gcc",
    "dpkg-buildpackage",
    "fakeroot",
    "sbuild",
    "mmdebstrap",
    "unshare",
    "lintian",
)
#: These are listed too, beside those that the toolkit builds and checks packages with.
_DEBIAN_PACKAGES = ("python3", "dpkg-dev", "schroot", "apt-file")
_TOOLS = ("uv", "pip", "pip-tools", "packaging", "tomli-w", "requests")
_VARIABLES = re.compile(r"(PIP|UV|DEB|PYTHON|XDG|SSL|REQUESTS)\w*|\w+_proxy|SOURCE_DATE_EPOCH|LANG|PATH", re.IGNORECASE)
_ABSENT = "not installed"


def sections(settings: Settings, given: Mapping[str, str], sandbox: Sandbox) -> Iterator[Section]:
    """Yield the sections, each a title and its pairs.

    `given` are the makefile's variables, `sandbox` is how foreign code would run. A fault of the project becomes a pair
    too, as reports are made when something is wrong.
    """
    yield "Project", list(_project(settings))
    try:
        project = discover(settings)
    except UserError as error:
        yield "Packages", [("error", error.what), ("hint", error.hint)]
    else:
        yield "Packages", [_package(package, project) for package in project.packages]
        yield "Interpreters", [pair for package in project.locked for pair in _interpreters(project, package)]
        yield "Locks", [_lock(project, settings, package) for package in project.locked]
        yield "vendor/", _vendor(project, settings)
    yield "Settings", _masked(given)
    yield "Environment", _masked({name: value for name, value in os.environ.items() if _VARIABLES.fullmatch(name)})
    yield "Machine", [*_machine(), ("sandbox", _walls(sandbox))]
    yield "Programs", [(name, _program(name)) for name in COMMANDS]
    yield "Debian packages", _debian_packages()
    yield "Tools environment", list(_tools_environment())
    yield "Wheel store", list(_wheel_store(settings, given.get("WHEEL_STORE", default_of("WHEEL_STORE"))))


def text(found: Iterator[Section]) -> str:
    """Return the sections as text, the values of each in one column."""
    lines: list[str] = []
    for title, pairs in found:
        width = max((len(key) for key, _ in pairs), default=0) + 1
        lines += ["", f"[{title}]", *(f"{f'{key}:':<{width}} {value}".rstrip() for key, value in pairs)]
    return "\n".join(lines[1:]) + "\n"


def _project(settings: Settings) -> Iterator[Pair]:
    yield "directory", str(settings.project)
    yield "revision", _attempt(lambda: _revision(settings.project))
    yield "toolkit", str(settings.toolkit)
    yield "toolkit revision", _attempt(lambda: _revision(settings.toolkit))
    for path in submodules.paths(settings.project):
        state = "not initialised" if submodules.is_empty(settings.project / path) else "checked out"
        yield f"submodule {path}", state


def _revision(directory: Path) -> str:
    return process.read(["git", "-C", directory, "describe", "--always", "--dirty", "--tags"]).strip()


def _package(package: Package, project: Project) -> Pair:
    kind = f"service {package.service_name}" if package.is_service else "library"
    version = f" {package.version}" if package.version else ""
    source = project.shown(package.path / package.marker_file)
    return f"{project.shown(package.path)}/", f"{kind}, distribution {package.name}{version}, found by {source}"


def _interpreters(project: Project, package: Package) -> Iterator[Pair]:
    name = project.lock_name(package)
    try:
        versions = python_version.read(project, package)
    except UserError as error:
        yield name, error.what
        return
    source = versions.file or f"the interpreter that runs this: there is no {python_version.FILE}"
    for python in (*versions.pythons, *versions.exact):
        try:
            found = interpreters.find([pyenv.minor(python)])
            shown = f"{found.path} {found.full_version}"
        except UserError:
            shown = "none on this machine"
        yield f"{name} {python}", f"{shown}, from {source}"


def _lock(project: Project, settings: Settings, package: Package) -> Pair:
    path = lock_file.path_of(settings.vendor, project.lock_name(package))
    try:
        found = lock_file.read(path)
    except UserError as error:
        return path.name, error.what.partition(": ")[2]
    return path.name, (
        f"{len(found.packages)} distributions and {len(found.build_packages)} that only build them; "
        f"Python {', '.join(found.pythons)}; {', '.join(found.platforms)}"
    )


def _vendor(project: Project, settings: Settings) -> list[Pair]:
    problems = [("problem", each.what) for each in check.problems(project, settings, hashes=False)]
    return problems or [("state", "names and sizes as locked (`make check-vendor` compares the hashes too)")]


def _machine() -> list[Pair]:
    return [
        ("system", os_release.read().get("PRETTY_NAME", "unknown")),
        ("kernel", f"{platform.system()} {platform.release()} {platform.machine()}"),
        ("cores", str(os.cpu_count())),
        ("user", "root" if os.geteuid() == 0 else "not root"),
        ("python", f"{platform.python_version()} {sys.executable}"),
    ]


def _program(name: str) -> str:
    path = shutil.which(name)
    if not path:
        return _ABSENT
    output = _attempt(lambda: process.read([path, "--version"])).strip()
    return f"{output.splitlines()[0] if output else 'no version'}  ({path})"


def _debian_packages() -> list[Pair]:
    try:
        output = process.read(["dpkg-query", "--show", "--showformat", "${Package} ${Version} ${db:Status-Status}\n"])
    except UserError as error:
        return [("dpkg-query", error.what)]
    rows = [line.split() for line in output.splitlines()]
    versions = {row[0]: row[1] for row in rows if len(row) == 3 and row[2] == "installed"}
    names = (*_DEBIAN_PACKAGES, *debian_packages.read(["build", "develop", "library", "sbuild", "check"]))
    return [(name, versions.get(name, _ABSENT)) for name in names]


def _tools_environment() -> Iterator[Pair]:
    """Yield the tools of each environment found, as its metadata has them: nothing of it is run."""
    found = sorted(files.cache_root().glob("tools/python*/"))
    if not found:
        yield "directory", "none yet: `make vendor` makes it"
    for directory in found:
        yield "directory", str(directory)
        metadata = directory.glob("lib/python*/site-packages/*.dist-info")
        parts = (path.name.removesuffix(".dist-info").partition("-") for path in metadata)
        versions = {normalize(name): version for name, _, version in parts}
        for name in _TOOLS:
            yield f"  {name}", versions.get(name, _ABSENT)


def _wheel_store(settings: Settings, chosen: str) -> Iterator[Pair]:
    root = building_options.store(chosen, settings)
    yield "directory", str(root) if chosen else f"{root}: WHEEL_STORE is empty, so `make clean` removes it"
    sizes = [path.stat().st_size for path in root.glob("wheels/**/*.whl") if path.is_file()]
    yield "content", f"{len(sizes)} wheels, {human(sum(sizes))}"


def _walls(sandbox: Sandbox) -> str:
    try:
        return sandbox.require()
    except UserError as error:
        return f"none, so nothing foreign is run: {error.what}"


def _attempt(function: Callable[[], str]) -> str:
    """Return the result of a function, or why it has none."""
    try:
        return function()
    except (UserError, OSError, KeyError) as error:
        return f"unknown ({getattr(error, 'what', error)})"


def _masked(variables: Mapping[str, str]) -> list[Pair]:
    """Return variables in order, without passwords: the report is pasted where others read it."""
    return [(name, secrets.masked(name, value)) for name, value in sorted(variables.items())]
