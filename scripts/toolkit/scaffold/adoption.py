"""A repository that exists becomes a project: what is there is found, what is missing is written, nothing is run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path, PurePosixPath

from toolkit.core import git
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line
from toolkit.model.names import normalize
from toolkit.project import (
    debian_control,
    declared,
    discovery,
    lines,
    package_search,
    pyproject,
    python_version,
    submodules,
)
from toolkit.project.discovery import Package
from toolkit.project.settings import Settings, default_of
from toolkit.requirements import declared_requirements, lock_inputs
from toolkit.scaffold import adopted_files, applications, commands, foreign_files, new_service, unpackaged, writing
from toolkit.scaffold.foreign_files import ForeignFiles
from toolkit.scaffold.part import Part, package_name
from toolkit.scaffold.program import Program, Sources
from toolkit.scaffold.writing import Change
from toolkit.vendoring import staging

_NAMESPACE = re.compile(r"^NAMESPACE\s*[:?]?=\s*([a-z0-9][a-z0-9+.-]*)\s*$", re.MULTILINE)
_INCLUDES = re.compile(r"^-?include\s+.*project\.mk", re.MULTILINE)
#: Locks of other tools, whose versions `make vendor FROM=` takes.
_LOCKS = ("uv.lock", "poetry.lock", "pylock.toml")


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """What is found in a repository, and what is done with each file; `notes` are for people."""

    parts: Sequence[Part]
    changes: Sequence[Change]
    notes: Sequence[str]
    lock: str
    has_own_makefile: bool


def plan(settings: Settings, name: str = "") -> Adoption:
    """Return what adopting the repository at `settings.project` would do; `name` is for what has none of its own.

    Raises `UserError` where there is nothing to adopt, or something is in the way.
    """
    files = ForeignFiles(root=settings.project)
    foreign_files.require_printable(files)
    _refuse_what_is_in_the_way(files)
    project = discovery.discover_any(settings)
    packages = [package for package in project.packages if not package.is_of_toolkit]
    with lines.relative_errors(settings.project):
        for package in packages:
            lock_inputs.check_interpreters(project, package, python_version.read(project, package))
    virtual = [package for package in packages if len(packages) > 1 and _is_virtual(package)]
    parts = list(_parts(files, [package for package in packages if package not in virtual], name, settings.namespace))
    if not parts:
        raise UserError(
            f"{settings.project}: nothing here to adopt: no package, and no requirements.txt beside modules of Python",
            "`new-project DIRECTORY` begins a project; what git ignores, and tests and examples, do not count",
        )
    has_own = files.has(PurePosixPath("Makefile")) and not _is_ours(files)
    entries = [*adopted_files.of_project(settings, parts, virtual, has_own=has_own)]
    entries += adopted_files.of_interpreter(project, files, parts)
    for part in parts:
        entries += adopted_files.of_package(files, part, settings)
    services = [part for part in parts if part.is_service]
    notes = [*files.unread]
    control = settings.project / "debian" / "control"
    if control.exists():
        entries = [entry for entry in entries if entry.path.parts[0] != "debian"]
        is_new = not (settings.project / "common").exists()
        known = {paragraph.get("Package") for paragraph in debian_control.paragraphs(control)}
        if is_new or any(
            known.isdisjoint((part.service, package_name(part.service, settings.namespace))) for part in services
        ):
            notes.append("debian/ is the project's own, and stays as it is: `make deb` says what it lacks")
    elif services:
        entries += adopted_files.of_debian(project, settings, services, has_own_makefile=has_own)
    # Services may have a part of a file in common.
    entries = list({(entry.path, entry.text): entry for entry in entries}.values())
    lock = next((lock for lock in _LOCKS if files.has(PurePosixPath(lock))), "")
    return Adoption(
        parts=parts, changes=writing.plan(settings.project, entries), notes=notes, lock=lock, has_own_makefile=has_own
    )


def namespace_of(project: Path) -> str:
    """Return the namespace that a project's makefile names, or the default; the makefile is read, and not run."""
    path = project / "Makefile"
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() and not path.is_symlink() else ""
    found = _NAMESPACE.search(text) if _INCLUDES.search(text) else None
    return found[1] if found else default_of("NAMESPACE")


def _is_ours(files: ForeignFiles) -> bool:
    path = files.root / "Makefile"
    return path.resolve().name == "project.mk" or bool(_INCLUDES.search(files.text(PurePosixPath("Makefile"))))


def _refuse_what_is_in_the_way(files: ForeignFiles) -> None:
    root = files.root
    common = root / "common"
    for path in submodules.uninitialised(root):
        raise submodules.error(path, root)
    if os.path.lexists(common) and not package_search.is_toolkit(common):
        raise UserError("common/: the project's own, where the toolkit has its place", "rename it: `git mv common ...`")
    staging.refuse_foreign(root / "vendor", archives_too=True)
    for name in ("build", "dist"):
        tracked = git.ask(root, "ls-files", "--", name).splitlines()
        if tracked:
            raise UserError(
                f"{one_line(tracked[0])}: tracked by git, in a directory that `make clean` removes",
                f"rename it: `git mv {name} ...`, or `git rm -r --cached {name}` where it was built",
            )


def _is_virtual(package: Package) -> bool:
    """Tell whether a pyproject.toml only says of others what they need: uv and poetry make no package of it."""
    data = pyproject.read(package.path)
    uv = pyproject.table(data, "tool", "uv")
    is_of_uv = uv.get("package", "build-system" in data) is False and ("package" in uv or "workspace" in uv)
    return is_of_uv or pyproject.table(data, "tool", "poetry").get("package-mode") is False


def _parts(files: ForeignFiles, packages: Sequence[Package], name: str, namespace: str) -> Iterator[Part]:
    known = {PurePosixPath(package.path.relative_to(files.root)): package for package in packages}
    new = unpackaged.directories(files, list(known))
    for directory in sorted([*known, *new]):
        package = known.get(directory)
        places = (directory, PurePosixPath()) if len(known) + len(new) == 1 else (directory,)
        yield _part(files, directory, package, name, namespace, tuple(dict.fromkeys(places)))


def _part(
    files: ForeignFiles,
    directory: PurePosixPath,
    package: Package | None,
    name: str,
    namespace: str,
    places: tuple[PurePosixPath, ...],
) -> Part:
    distribution = package.name if package else name or unpackaged.name_of(files, directory)
    service = package.service_name if package else directory.name.replace("_", "-") or distribution
    shown = f"{directory}/" if directory.parts else "./"
    if package and pyproject.table(pyproject.read(package.path), "tool", "poetry").get("package-mode") is False:
        raise UserError(
            f"{directory / pyproject.FILE}: `package-mode = false`, so poetry-core makes no package of it",
            "remove that line; poetry finds the packages, or `packages` of [tool.poetry] names them",
        )
    requires = _required(files, directory)
    if not package:
        unpackaged.refuse_pipfile(files, directory)
        if normalize(distribution) in requires:
            raise UserError(
                f"{shown} would be called {distribution}, as something that it requires is",
                "choose another: --name NAME",
            )
    root = directory / unpackaged.layout_of(files, directory).source
    sources = Sources(
        files=files,
        directory=directory,
        places=places,
        root=root,
        name=distribution,
        requires=frozenset(requires),
        scripts=declared.read(files.root / directory).scripts,
    )
    own = _own_script(files, directory, service, namespace)
    part = Part(
        directory=directory,
        name=distribution,
        service=service,
        package=package,
        programs=[] if own else _programs(sources),
        own_script=own,
    )
    if not part.is_service and not package:
        raise UserError(
            f"{shown}: nothing tells how its program is started" + "".join(f"; {text}" for text in files.unread),
            "write that into a file Procfile, as `web: gunicorn app:app` or `web: python -m module`",
        )
    if part.is_service:
        _check_name(service, own=not package and not directory.parts)
    return part


def _check_name(service: str, *, own: bool) -> None:
    """Raise `UserError` when a service cannot have this name; the hint of an `own` one says where another is given."""
    try:
        new_service.check_name(service)
    except UserError as error:
        raise UserError(error.what, f"{error.hint}; --name gives it another" if own else error.hint) from None


def _required(files: ForeignFiles, directory: PurePosixPath) -> set[str]:
    """Return the names that a directory requires to run."""
    found = unpackaged.required(files, directory / "requirements.txt")
    for entry in unpackaged.requirements(files, directory):
        if entry.path.name == "requirements.txt":
            found |= unpackaged.required(files, directory / entry.text.split()[1])
    for item in declared_requirements.dependencies(files.root / directory) or ():
        found |= unpackaged.names_in(item.text)
    return found


def _own_script(files: ForeignFiles, directory: PurePosixPath, service: str, namespace: str) -> str:
    """Return the script in bin/ that a service has already, of those that are linked into /usr/bin."""
    scripts = [p.name for p in files.below(directory / "bin") if len(p.parts) == 1]
    found = sorted(name for name in scripts if name.startswith(f"{namespace}-"))
    wanted = package_name(service, namespace)
    return wanted if wanted in found else next(iter(found), "")


def _programs(sources: Sources) -> list[Program]:
    """Return the programs of a directory, the main one first; none where nothing tells how anything is started."""
    found = [*commands.of_procfile(sources)] or [*commands.of_dockerfile(sources)]
    kinds = (applications.declared, applications.of_django, applications.applications, applications.main_modules)
    # What nobody asks for is not read.
    found = found or list(islice(chain.from_iterable(kind(sources) for kind in kinds), 1))
    if not found:
        return []
    main, *others = found
    manage = applications.manage(sources)
    more = [manage] if manage and manage.module != main.module else []
    return [replace(main, process=""), *others, *more]
