"""What one service asks for: its requirement trees, its interpreters, and what vendor.txt says about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from toolkit.core.errors import AT_ONCE, Gathering, UserError
from toolkit.core.foreign_text import quoted
from toolkit.model.targets import Targets
from toolkit.project import build_settings, lines, pyproject, python_version
from toolkit.project.build_settings import NamedSettings
from toolkit.project.discovery import Package, Project
from toolkit.requirements import build_requirements, declared_requirements, fingerprints, requirements, vendor_txt
from toolkit.requirements.build_requirements import AddedRequirement
from toolkit.requirements.requirements import Line, RequirementTree
from toolkit.requirements.vendor_txt import ArchiveRule, BinaryRule


@dataclass(frozen=True, kw_only=True)
class LockInputs:
    """All that decides what the lock of `package` holds; `tests` and `development` are further trees.

    `building` has the constraints of builds, and nothing else; `added` is what builds some distributions besides, and
    `settings` are theirs.
    """

    package: Package
    name: str
    tree: RequirementTree
    tests: RequirementTree
    development: RequirementTree
    building: RequirementTree
    added: tuple[AddedRequirement, ...]
    settings: tuple[NamedSettings, ...]
    targets: Targets
    binary: tuple[BinaryRule, ...]
    archives: tuple[ArchiveRule, ...]

    @property
    def local(self) -> tuple[Package, ...]:
        """Return the local packages in use, the package itself last; tests may use further ones."""
        found = dict.fromkeys((*self.tree.local[:-1], *self.tests.local[:-1], self.package))
        return tuple(found)

    @property
    def lines(self) -> tuple[Line, ...]:
        """Return the lines of all trees that name something of the index."""
        return tuple(line for tree in self._trees for line in tree.requirements)

    @property
    def constraints(self) -> tuple[Line, ...]:
        """Return the constraints of all trees, what is declared beside them included: they hold for everything."""
        return tuple(line for tree in self._trees for line in (*tree.constraints, *_limits(tree.declared)))

    @property
    def binary_versions(self) -> tuple[Line, ...]:
        """Return the versions that vendor.txt asks for, as constraints; without `--no-deps`, an engine chooses them."""
        found = []
        for rule in self.binary:
            if rule.specifier and not rule.no_deps:
                file, _, line = rule.origin.rpartition(":")
                text = f"{rule.name}{rule.specifier}"
                found.append(Line(text=text, name=rule.name, file=file, line=int(line)))
        return tuple(found)

    @property
    def files(self) -> tuple[Path, ...]:
        """Return every file of requirements that was read or found missing."""
        return tuple(path for tree in (*self._trees, self.building) for path in tree.files)

    @property
    def _trees(self) -> tuple[RequirementTree, ...]:
        return (self.tree, self.tests, self.development)


def _limits(declared: Iterable[Line]) -> Iterator[Line]:
    """Yield declarations as constraints, which can have no extras."""
    for line in declared:
        requirement = Requirement(line.text)
        requirement.extras = set()
        if requirement.specifier:
            yield replace(line, text=str(requirement))


def refuse_unmet(inputs: LockInputs, runtime: Collection[str], others: Collection[str]) -> None:
    """Raise `UserError` for what is declared beside a requirements.txt that does not lead to it.

    `runtime` are the names in the runtime closure, `others` those that only tests and developers need.
    """
    known = {*runtime, *(package.name for package in inputs.local)}
    more = {*known, *others, *(package.name for package in inputs.development.local)}
    trees = ((inputs.tree, known), (inputs.tests, more), (inputs.development, more))
    unmet = [line for tree, names in trees for line in tree.declared if line.name not in names]
    if unmet:
        first = unmet[0]
        told = "".join(f"\n{line.origin}: `{line.text}`" for line in unmet[1:])
        raise UserError(
            f"{first.origin}: `{first.text}` is declared, but the file of requirements beside it does not lead to "
            f"{first.name}{told}",
            "add these lines to the file of requirements, or remove that file: what is declared is read then",
        )


def read(
    project: Project,
    package: Package,
    platforms: tuple[str, ...],
    joining: Mapping[str, Collection[str]] | None = None,
    errors: Gathering = AT_ONCE,
) -> LockInputs:
    """Read the files of a package and of the libraries it uses. Raises `UserError` with `file:line`.

    `joining` has the names of libraries that something from an index requires, each with the extras it asks for.
    `errors` gathers lines that are refused: what is returned is without them.
    """
    with lines.relative_errors(project.root):
        return _read(project, package, platforms, joining or {}, errors)


def _read(
    project: Project,
    package: Package,
    platforms: tuple[str, ...],
    joining: Mapping[str, Collection[str]],
    errors: Gathering,
) -> LockInputs:
    joined = [(found, tuple(sorted(extras))) for name, extras in joining.items() if (found := project.find(name))]
    tree = requirements.read_tree(project, package, platforms, joining=joined, errors=errors)
    tests = requirements.read_tree(project, package, platforms, requirements.TESTS_FILE, errors=errors)
    development = requirements.read_development(project, package, platforms, errors)
    members = tuple(dict.fromkeys((*tree.local, *tests.local, *development.local)))
    targets = python_version.read(project, package)
    for member in dict.fromkeys((package, *members)):
        with errors.part():
            check_interpreters(project, member, targets)
    directories = dict.fromkeys((project.root, *(member.path for member in members)))
    rules = [
        rule for directory in directories for rule in vendor_txt.read(directory / vendor_txt.FILE, project.root, errors)
    ]
    added = [
        line
        for directory in directories
        for line in build_requirements.read(directory / build_requirements.FILE, project.root, errors)
    ]
    settings = [
        table
        for directory in directories
        for table in build_settings.read(directory / build_settings.FILE, project.root, errors)
    ]
    for line in added:
        if package_of_name := project.find(line.name):
            shown = project.shown(package_of_name.path)
            error = UserError(
                f"{line.origin}: {line.name} is a package of this project ({shown}/)",
                f"write what builds it into {shown}/pyproject.toml: `requires` of [build-system]",
            )
            errors.add(error)
    binary = [rule for rule in rules if isinstance(rule, BinaryRule)]
    for rule in binary:
        with errors.part():
            refuse_local(project, rule.name, f"{rule.origin}: `{rule.name}`")
    return LockInputs(
        package=package,
        name=project.lock_name(package),
        tree=tree,
        tests=tests,
        development=development,
        added=tuple(added),
        settings=build_settings.together(settings),
        building=requirements.read_build_constraints(project, package, members, platforms, errors),
        targets=targets,
        # Nothing takes the place of a package of the project.
        binary=tuple(rule for rule in binary if not project.find(rule.name)),
        archives=tuple(rule for rule in rules if isinstance(rule, ArchiveRule)),
    )


def check_interpreters(project: Project, package: Package, targets: Targets) -> None:
    """Raise `UserError` for an interpreter of a service that a package of the project in it does not run on."""
    declared = declared_requirements.requires_python(package.path)
    if declared is None:
        return
    where = f"{project.shown(declared.path)}:{declared.line}"
    word = "requires-python" if declared.path.name == pyproject.FILE else "python_requires"
    try:
        allowed = SpecifierSet(declared.text)
    except InvalidSpecifier:
        raise UserError(f"{where}: {word} is no specifier: {quoted(declared.text)}", 'write ">=3.11"') from None
    for minor in targets.pythons:
        # Of a minor version some release has to do; none has had as many as these.
        if not any(allowed.contains(f"{minor}.{micro}") for micro in range(64)):
            raise UserError(
                f"{where}: {word} is `{declared.text}`, but "
                f"{targets.origins.get(minor, 'this interpreter')} is Python {minor}",
                f"correct one of the two: {python_version.FILE} says which interpreters it is built for",
            )


def refuse_local(project: Project, name: str, what: str) -> None:
    """Raise `UserError` where `what`, to be taken from elsewhere, has the name of a package of the project."""
    if package := project.find(name):
        raise UserError(
            f"{what} is a package of this project ({project.shown(package.path)}/), which nothing may replace",
            "remove its line; if another distribution is meant, one of the two has to be renamed",
        )


def fingerprint(project: Project, inputs: LockInputs, platforms: tuple[str, ...]) -> dict[str, str]:
    """Return the fingerprints that the lock keeps of all this."""
    # What only developers use is linked for them; it is no part of what is built.
    used = (*inputs.local, *inputs.development.local)
    paths = fingerprints.paths(project, inputs.package, used, inputs.files)
    further = (path for path in paths if path.name in (vendor_txt.FILE, build_requirements.FILE))
    return {
        **fingerprints.fingerprint(paths, project.root),
        **fingerprints.of_variables((*inputs.files, *further), project.root),
        **fingerprints.of_settings(platforms),
    }
