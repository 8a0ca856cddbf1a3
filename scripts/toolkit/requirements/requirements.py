"""Read the requirements of a package and, through local requirements, those of the libraries it uses."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from toolkit.core.errors import AT_ONCE, Gathering, UserError
from toolkit.model import markers
from toolkit.model.lock import Distribution
from toolkit.model.names import normalize
from toolkit.project import lines, pyproject, python_version
from toolkit.project.discovery import Package, Project
from toolkit.requirements import declared_requirements, tool_tables
from toolkit.requirements.declared_requirements import Declaration
from toolkit.requirements.requirement_line import Directory, Include, NamedRequirement, parse

FILE = "requirements.txt"
TESTS_FILE = "test-requirements.txt"
DEVELOPMENT_FILE = "dev-requirements.txt"
BUILD_CONSTRAINTS_FILE = "build-constraints.txt"
#: The dependency groups that are read where there is no such file, or have to agree with it.
GROUPS = {TESTS_FILE: ("test", "tests"), DEVELOPMENT_FILE: ("dev",)}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One requirement: PEP 508 text, name in its normal form, and where it stands (`file` is relative to the project).

    `hashes` are the `--hash` options of the line, such as `sha256:0123...`: the only files its author accepts.
    """

    text: str
    name: str
    file: str
    line: int
    hashes: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """Return `file:line`."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class RequirementTree:
    """All that a requirements.txt asks for.

    `requirements` and `constraints` name distributions of the index; `local` are the packages of the project tree in
    use, each after those it uses, the package itself last; `files` is every file that was read or found missing; `uses`
    are the lines that name local packages; `declared` is what a package declares beside its files of requirements,
    which has to be met by them.
    """

    requirements: tuple[Line, ...]
    constraints: tuple[Line, ...]
    local: tuple[Package, ...]
    files: tuple[Path, ...]
    uses: tuple[Line, ...] = ()
    declared: tuple[Line, ...] = ()


def read_tree(
    project: Project,
    package: Package,
    platforms: tuple[str, ...],
    filename: str = FILE,
    joining: Iterable[tuple[Package, tuple[str, ...]]] = (),
    errors: Gathering = AT_ONCE,
) -> RequirementTree:
    """Read a package's requirements file and all that it leads to, as pip reads them.

    `joining` are local packages, with the extras asked of them, that no file names, but something from an index.
    `errors` gathers lines that are refused.

    Where there is no such file, what the package declares (`[project]`, `install_requires`, a dependency group) is read
    as its lines. A service with neither is an error; a library's, and a file of another name, may be missing. A local
    requirement counts on all machines when its marker holds on one of the package's interpreters and of `platforms`
    (values of `sys.platform`), else on none. Raises `UserError` with `file:line`.
    """
    reader = _Reader(project, python_version.read(project, package).pythons, platforms, errors)
    reader.read_package(package, filename)
    if filename == FILE:
        # As in uv: of other packages in use such tables do not count.
        for directory in dict.fromkeys((project.root, package.path)):
            reader.read_limits(directory, tool_tables.CONSTRAINTS)
    for member, extras in joining:
        reader.join(member, extras)
    return reader.tree(package)


def read_development(
    project: Project, package: Package, platforms: tuple[str, ...], errors: Gathering = AT_ONCE
) -> RequirementTree:
    """Read what only developers of a package need: its dev-requirements.txt.

    What no service is responsible for is the first one's: the project's own dev-requirements.txt, and all requirements
    of libraries, without those of the toolkit's own. Raises, and gathers, as `read_tree` does.
    """
    reader = _Reader(project, python_version.read(project, package).pythons, platforms, errors)
    reader.read_package(package, DEVELOPMENT_FILE)
    if package == project.locked[0]:
        reader.read_group(project.root, DEVELOPMENT_FILE)
        for other in project.packages:
            if other not in project.locked and not other.is_of_toolkit:
                reader.read_requirements(other)
                for name in (TESTS_FILE, DEVELOPMENT_FILE):
                    reader.read_package(other, name)
    return reader.tree(package)


def read_build_constraints(
    project: Project,
    package: Package,
    members: Iterable[Package],
    platforms: tuple[str, ...],
    errors: Gathering = AT_ONCE,
) -> RequirementTree:
    """Read what limits the builds of a package: build-constraints.txt of the project and of the packages it uses.

    Raises `UserError` with `file:line`; `errors` gathers lines that are refused.
    """
    reader = _Reader(project, python_version.read(project, package).pythons, platforms, errors)
    for directory in dict.fromkeys((project.root, *(member.path for member in members))):
        reader.read_constraints(directory / BUILD_CONSTRAINTS_FILE)
        reader.read_limits(directory, tool_tables.BUILD_CONSTRAINTS)
    return _limits_alone(reader.tree(package))


def read_given_constraints(project: Project, package: Package, paths: Iterable[Path]) -> tuple[Line, ...]:
    """Read files of constraints that the machine's user names. Raises `UserError` with `file:line`."""
    reader = _Reader(project, python_version.read(project, package).pythons, (), AT_ONCE)
    for path in paths:
        if not path.is_file():
            raise UserError(
                f"PIP_BUILD_CONSTRAINT: there is no file {path}",
                "correct the variable, or build-constraint in pip's configuration: it has to be a file of this machine",
            )
        reader.read_constraints(path)
    return _limits_alone(reader.tree(package)).constraints


def _limits_alone(tree: RequirementTree) -> RequirementTree:
    """Return a tree of constraints. Raises `UserError` for one that says more than a version."""
    for line in tree.constraints:
        if line.hashes or Requirement(line.text).url:
            raise UserError(
                f"{line.origin}: only a name and its versions can limit a build: `{line.text}`",
                "write `name<2`; the lock holds the sha256 of every file",
            )
    return tree


def check_hashes(requirements: Iterable[Line], distributions: Iterable[Distribution]) -> None:
    """Refuse locked files that the `--hash` options of their requirement do not name. Raises `UserError`."""
    locked = {distribution.name: distribution for distribution in distributions}
    for line in requirements:
        distribution = locked.get(line.name)
        for file in distribution.files if distribution and line.hashes else ():
            if f"sha256:{file.sha256}" not in line.hashes:
                raise UserError(
                    f"{line.origin}: {file.name} has none of the hashes given here",
                    f"add --hash=sha256:{file.sha256} if you trust it, or remove the hashes",
                )


class _Reader:
    """What has been read so far."""

    def __init__(
        self, project: Project, pythons: tuple[str, ...], platforms: tuple[str, ...], errors: Gathering
    ) -> None:
        self.requirements: list[Line] = []
        self.constraints: list[Line] = []
        self.local: list[Package] = []
        self.uses: list[Line] = []
        self.declared: list[Line] = []
        self.files: dict[Path, None] = {}
        self._project, self._pythons, self._platforms, self._errors = project, pythons, platforms, errors
        self._declared: set[tuple[Path, int, str, Path]] = set()
        self._elsewhere: dict[Path, Mapping[str, str]] = {}
        self._done: set[tuple[Path, bool, str]] = set()
        self._open: list[Path] = []
        self._entered: set[str] = set()
        self._marker = ""

    def read_package(self, package: Package, filename: str) -> None:
        path = package.path / filename
        declared = declared_requirements.dependencies(package.path)
        if package.is_service and filename == FILE and not path.is_file() and declared is None:
            raise UserError(
                f"{self._project.shown(path)}: a service has none",
                "create it: one requirement a line, empty when the service needs nothing; or write them as "
                "`dependencies` of [project] in its pyproject.toml",
            )
        if filename == FILE:
            self.read_requirements(package)
        else:
            self.read_group(package.path, filename)

    def read_group(self, directory: Path, filename: str) -> None:
        """Read a file of requirements that need not be there, and the dependency groups that say the same."""
        self.read_optional(directory / filename)
        for name in GROUPS.get(filename, ()):
            self._declare(declared_requirements.group(directory, name), beside=directory / filename)

    def join(self, package: Package, extras: tuple[str, ...]) -> None:
        """Use a local package that something from an index requires, and may mean another one's extras by."""
        known = tuple(extra for extra in extras if has_extra(package, extra))
        self._use(package, known, f"{self._project.shown(package.path)}/", "")

    def read_requirements(self, package: Package) -> None:
        """Read a package's requirements.txt, and linux-requirements.txt for Linux."""
        self.read_optional(package.path / FILE)
        self._declare(declared_requirements.dependencies(package.path), beside=package.path / FILE)
        for platform in self._platforms:
            # With one platform there is nothing to tell apart.
            with self._where(f"sys_platform == '{platform}'" if len(self._platforms) > 1 else ""):
                self.read_optional(package.path / f"{platform}-{FILE}")

    def read_optional(self, path: Path) -> None:
        """Read a file that need not be there. It is not an inclusion: it may lead back to a file that is being read."""
        self.files[path] = None
        if path.is_file():
            including, self._open = self._open, []
            self._read(path, is_constraint=False)
            self._open = including

    def read_constraints(self, path: Path) -> None:
        """Read a file of constraints that need not be there."""
        self.files[path] = None
        if path.is_file():
            self._read(path, is_constraint=True)

    def read_limits(self, directory: Path, key: str) -> None:
        """Read constraints from a table of a directory's pyproject.toml."""
        for item in declared_requirements.limits(directory, key):
            with self._errors.part():
                named, file = self._named(item)
                self._requirement(named, file, item.line, is_constraint=True)

    def tree(self, package: Package) -> RequirementTree:
        local = (*(used for used in self.local if used != package), package)
        return RequirementTree(
            requirements=tuple(self.requirements),
            constraints=tuple(self.constraints),
            local=local,
            files=tuple(self.files),
            uses=tuple(self.uses),
            declared=tuple(self.declared),
        )

    def _declare(self, found: Iterable[Declaration] | None, beside: Path) -> None:
        """Read declarations: as requirements, or where the file `beside` says the same, as what it has to meet."""
        for item in found or ():
            key = (item.path, item.line, item.text, beside)
            if key in self._declared:
                continue
            self._declared.add(key)
            with self._errors.part():
                self._declared_line(item, beside)

    def _declared_line(self, item: Declaration, beside: Path) -> None:
        if isinstance(parse(item.text, f"{self._project.shown(item.path)}:{item.line}"), Directory):
            # Only poetry's own tables can say so.
            if not beside.is_file():
                self._take(item.path, item.line, item.text, is_constraint=False)
            return
        named, file = self._named(item)
        self._refuse_elsewhere(item, named.requirement)
        if not beside.is_file():
            self._requirement(named, file, item.line, is_constraint=False)
        elif markers.possible(str(named.requirement.marker or ""), self._pythons, self._platforms):
            name = normalize(named.requirement.name)
            line = Line(text=named.text, name=name, file=file, line=item.line)
            self.declared.append(line)
            if package := self._project.find(name):
                _check_local(self._project, package, named.requirement, line)

    def _named(self, item: Declaration) -> tuple[NamedRequirement, str]:
        """Return what a declaration names, and its file as messages have it."""
        file = self._project.shown(item.path)
        named = parse(item.text, f"{file}:{item.line}")
        if not isinstance(named, NamedRequirement):
            raise UserError(f"{file}:{item.line}: not a requirement: `{item.text}`", "write `name>=1.2`")
        return named, file

    def _refuse_elsewhere(self, item: Declaration, requirement: Requirement) -> None:
        """Raise `UserError` for what another tool takes from elsewhere: an index may have another of that name."""
        name = normalize(requirement.name)
        if requirement.url or self._project.find(name):
            return
        for directory in (item.path.parent, self._project.root):
            if directory not in self._elsewhere:
                self._elsewhere[directory] = tool_tables.elsewhere(pyproject.read(directory))
            if where := self._elsewhere[directory].get(name):
                raise UserError(
                    f"{self._project.shown(item.path)}:{item.line}: `{item.text}` would come from the index, but "
                    f"{self._project.shown(directory / pyproject.FILE)} says {where}",
                    f"name an archive, `{name} @ https://host/{name}-1.2.tar.gz`, make it a package of the project (a "
                    "submodule?), or remove that source",
                )

    @contextmanager
    def _where(self, marker: str) -> Iterator[None]:
        """Read what counts only where a marker holds."""
        outer, self._marker = self._marker, marker
        try:
            yield
        finally:
            self._marker = outer

    def _read(self, path: Path, *, is_constraint: bool) -> None:
        if (path, is_constraint, self._marker) in self._done:
            return
        self._done.add((path, is_constraint, self._marker))
        self.files[path] = None
        found = lines.read(path, self._project.root)
        self._open.append(path)
        for number, text in found:
            with self._errors.part():
                self._take(path, number, lines.expand(text), is_constraint)
        self._open.pop()

    def _take(self, path: Path, number: int, text: str, is_constraint: bool) -> None:
        origin = f"{self._project.shown(path)}:{number}"
        item = parse(text, origin)
        if isinstance(item, Include):
            self._include(item, path, origin)
        elif isinstance(item, Directory):
            package = self._package_at(item.path, path, origin)
            self.uses.append(Line(text=text, name=package.name, file=self._project.shown(path), line=number))
            self._use(package, item.extras, origin, _both(self._marker, item.marker))
        else:
            self._requirement(item, self._project.shown(path), number, is_constraint)

    def _include(self, include: Include, path: Path, origin: str) -> None:
        target = Path(os.path.normpath(path.parent / include.path))
        if "://" in include.path or not target.is_relative_to(self._project.root):
            raise UserError(f"{origin}: {include.path} is not inside the project", "copy the file into the project")
        if not target.is_file():
            raise UserError(
                f"{origin}: there is no {self._project.shown(target)}", "correct the name: it is relative to this file"
            )
        if target in self._open:
            chain = " -> ".join(map(self._project.shown, (*self._open[self._open.index(target) :], target)))
            raise UserError(f"{origin}: files that include each other: {chain}", "remove one of these lines")
        self._read(target, is_constraint=include.is_constraint)

    def _package_at(self, name: str, path: Path, origin: str) -> Package:
        directories = {Path(os.path.normpath(base / name)) for base in (path.parent, self._project.root)}
        found = next((package for package in self._project.packages if package.path in directories), None)
        if found is None:
            raise UserError(
                f"{origin}: a path that is no package of this project: `{name}`",
                "name the distribution alone, or give a URL: `name @ https://host/name-1.2.tar.gz`",
            )
        return found

    def _requirement(self, named: NamedRequirement, file: str, number: int, is_constraint: bool) -> None:
        requirement = named.requirement
        name = normalize(requirement.name)
        line = Line(text=_under(self._marker, named), name=name, file=file, line=number, hashes=named.hashes)
        package = self._project.find(line.name)
        if is_constraint and requirement.extras:
            raise UserError(f"{line.origin}: a constraint cannot have extras: `{line.text}`", "remove the extras")
        if package:
            _check_local(self._project, package, requirement, line)
            if not is_constraint:
                self.uses.append(line)
                marker = _both(self._marker, requirement.marker)
                self._use(package, tuple(sorted(requirement.extras)), line.origin, marker)
        else:
            if not is_constraint:
                _check_sample(self._project, line)
            (self.constraints if is_constraint else self.requirements).append(line)

    def _use(self, package: Package, extras: tuple[str, ...], origin: str, marker: str) -> None:
        if not markers.possible(marker, self._pythons, self._platforms):
            return
        # Libraries may need each other, so a package counts as entered before its own files are read.
        if package.name not in self._entered:
            self._entered.add(package.name)
            with self._where(""):
                self.read_requirements(package)
            self.local.append(package)
        for extra in extras:
            path = package.path / f"requirements-{extra}.txt"
            declared = declared_requirements.extra(package.path, extra)
            self._declare(declared, beside=path)
            if not path.is_file() and declared is None:
                missing = self._project.shown(path)
                raise UserError(
                    f"{origin}: {package.name} has no extra `{extra}`: there is no {missing}",
                    "correct the extra's name, or create that file with its requirements",
                )
            self.read_optional(path)


def has_extra(package: Package, extra: str) -> bool:
    """Tell whether a package of the project declares an extra, or has a file of its requirements."""
    declared = declared_requirements.extra(package.path, extra)
    return declared is not None or (package.path / f"requirements-{extra}.txt").is_file()


def _both(first: str, second: object) -> str:
    """Return the marker that holds where both do; an empty one, or None, always holds."""
    return " and ".join(f"({marker})" if first and second else f"{marker}" for marker in (first, second) if marker)


def _under(marker: str, named: NamedRequirement) -> str:
    """Return the text of a requirement that counts only where a marker holds."""
    if not marker:
        return named.text
    requirement = Requirement(named.text)
    requirement.marker = Marker(_both(marker, requirement.marker))
    return str(requirement)


def _check_sample(project: Project, line: Line) -> None:
    """Raise `UserError` for the name of what only looks like a package of the project: an index may have another."""
    path = project.sample(line.name)
    if path:
        raise UserError(
            f"{line.origin}: `{line.text}` would come from the index: {project.shown(path)}/ has that name, "
            "but what is in tests, examples or documentation is no package of the project",
            "move the directory if that is meant; if not, rename it, or name the project's packages with PACKAGES=",
        )


def _check_local(project: Project, package: Package, requirement: Requirement, line: Line) -> None:
    where = f"{project.shown(package.path)}/"
    if requirement.url:
        raise UserError(
            f"{line.origin}: a URL for {package.name}, which is a package of this project ({where})",
            f"write `{requirement.name}` alone, or rename the package",
        )
    try:
        matches = not package.version or requirement.specifier.contains(Version(package.version), prereleases=True)
    except InvalidVersion:
        return
    if not matches:
        raise UserError(
            f"{line.origin}: `{line.text}`, but {where} is version {package.version}",
            "correct the requirement, or bring the package (a submodule?) to that version",
        )
