"""What one service asks for: its requirement trees, its interpreters, and what vendor.txt says about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.core.errors import UserError
from toolkit.model.targets import Targets
from toolkit.project import build_requirements, fingerprints, python_version, requirements, vendor_txt
from toolkit.project.build_requirements import AddedRequirement
from toolkit.project.discovery import Package, Project
from toolkit.project.requirements import Line, RequirementTree
from toolkit.project.vendor_txt import ArchiveRule, BinaryRule


@dataclass(frozen=True, kw_only=True)
class LockInputs:
    """All that decides what the lock of `package` holds; `tests` and `development` are further trees.

    `building` has the constraints of builds, and nothing else; `added` is what builds some distributions besides.
    """

    package: Package
    name: str
    tree: RequirementTree
    tests: RequirementTree
    development: RequirementTree
    building: RequirementTree
    added: tuple[AddedRequirement, ...]
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
        """Return the constraints of all trees: they hold for everything."""
        return tuple(line for tree in self._trees for line in tree.constraints)

    @property
    def files(self) -> tuple[Path, ...]:
        """Return every file of requirements that was read or found missing."""
        return tuple(path for tree in (*self._trees, self.building) for path in tree.files)

    @property
    def _trees(self) -> tuple[RequirementTree, ...]:
        return (self.tree, self.tests, self.development)


def read(
    project: Project, package: Package, platforms: tuple[str, ...], joining: Mapping[str, Collection[str]] | None = None
) -> LockInputs:
    """Read the files of a package and of the libraries it uses. Raises `UserError` with `file:line`.

    `joining` has the names of libraries that something from an index requires, each with the extras it asks for.
    """
    joined = [
        (found, tuple(sorted(extras))) for name, extras in (joining or {}).items() if (found := project.find(name))
    ]
    tree = requirements.read_tree(project, package, platforms, joining=joined)
    tests = requirements.read_tree(project, package, platforms, requirements.TESTS_FILE)
    development = requirements.read_development(project, package, platforms)
    members = tuple(dict.fromkeys((*tree.local, *tests.local, *development.local)))
    rules = [rule for member in members for rule in vendor_txt.read(member.path / "vendor.txt", project.root)]
    added = [
        line
        for directory in dict.fromkeys((project.root, *(member.path for member in members)))
        for line in build_requirements.read(directory / build_requirements.FILE, project.root)
    ]
    for line in added:
        if package_of_name := project.find(line.name):
            shown = project.shown(package_of_name.path)
            raise UserError(
                f"{line.origin}: {line.name} is a package of this project ({shown}/)",
                f"write what builds it into {shown}/pyproject.toml: `requires` of [build-system]",
            )
    for rule in rules:
        if isinstance(rule, BinaryRule):
            refuse_local(project, rule.name, f"{rule.origin}: `{rule.name}`")
    return LockInputs(
        package=package,
        name=project.lock_name(package),
        tree=tree,
        tests=tests,
        development=development,
        added=tuple(added),
        building=requirements.read_build_constraints(project, package, members, platforms),
        targets=python_version.read(project, package),
        binary=tuple(rule for rule in rules if isinstance(rule, BinaryRule)),
        archives=tuple(rule for rule in rules if isinstance(rule, ArchiveRule)),
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
    return {**fingerprints.fingerprint(paths, project.root), **fingerprints.of_settings(platforms)}
