"""What the files of a project were written from at the time: by its record, or else by its history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from toolkit.core import git, process
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.core.git import Repository
from toolkit.project import debian_control
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings, default_of
from toolkit.scaffold import new_project, new_service, record, templates
from toolkit.scaffold.new_project import RECIPES, Request
from toolkit.scaffold.record import Scaffold
from toolkit.scaffold.templates import Entry


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One scaffold as it was written, and as it would be written today with the same values."""

    key: str
    old: Scaffold
    new: Scaffold


@dataclass(frozen=True, kw_only=True)
class Toolkits:
    """The templates of the toolkit as they were, each commit's below `scratch`."""

    toolkit: Path
    scratch: Path

    def entries(self, pair: Pair) -> list[Entry]:
        """Return the files that a scaffold gave. Raises `UserError` where its commit is not there."""
        found = new_project.entries(pair.key, pair.old, self._at(pair.old.revision))
        return [_of_namespace(entry, pair.old) for entry in found]

    def _at(self, revision: str) -> Path:
        directory = self.scratch / revision
        if directory.exists():
            return directory
        if git.ask(self.toolkit, "cat-file", "-t", revision) != "commit":
            raise UserError(
                f"{self.toolkit.name}/: it lacks the commit {revision[:12]}, from whose templates the project came",
                f"`git -C {self.toolkit} fetch origin {revision}` gets it, if it was published",
            )
        directory.mkdir(parents=True)
        paths = [
            path for path in ("templates", "docs/ci") if git.ask(self.toolkit, "cat-file", "-t", f"{revision}:{path}")
        ]
        git.run(self.toolkit, "archive", "--format=tar", f"--output={directory}.tar", revision, "--", *paths)
        process.run(["tar", "--extract", f"--file={directory}.tar", f"--directory={directory}"])
        return directory


def _of_namespace(entry: Entry, scaffold: Scaffold) -> Entry:
    """Return a makefile that was written for a namespace of its own, as templates with a link for it never gave it."""
    namespace = scaffold.values.get("namespace", "")
    if entry.path.name == "Makefile" and entry.link and namespace != default_of("NAMESPACE"):
        return replace(entry, link="", text=f"NAMESPACE = {namespace}\ninclude common/project.mk\n")
    return entry


def pairs(project: Project, settings: Settings, service: str = "") -> list[Pair]:
    """Return the scaffolds of a project, or of one service, as far as it is known what they were written from.

    Raises `UserError` where its history would say that, and is not there.
    """
    recorded, history = record.read(project.root), Repository(directory=project.root, name=project.root.name)
    found = []
    for key, today, witness in _today(project, settings, recorded):
        if service and key != record.service_key(service):
            continue
        old = recorded.get(key) or replace(today, revision=_revision_at(history, witness, settings.toolkit))
        if old.revision:
            values = {**today.values, **old.values}
            found.append(Pair(key=key, old=replace(old, values=values), new=replace(old, values=values, revision="")))
    return found


def _today(project: Project, settings: Settings, recorded: dict[str, Scaffold]) -> Iterator[tuple[str, Scaffold, str]]:
    """Yield what would be written today of what there is, each with a file that was written with it."""
    root = project.root
    names = [service.service_name for service in project.services]
    ci = next((name for name, (_, path) in RECIPES.items() if (root / path).is_file()), "")
    if "ci" in recorded and (ci := recorded["ci"].values.get("recipe", "")) not in RECIPES:
        raise record.fault(f"ci.recipe is {quoted(ci)}")
    for key, scaffold in new_project.scaffolds(project, settings, Request(service=(names or [""])[0], ci=ci)).items():
        yield key, scaffold, RECIPES[ci][1] if key == "ci" else "Makefile"
    if (root / "debian" / "control").is_file():
        source = debian_control.paragraphs(root / "debian" / "control")[0]
        yield "packaging", new_service.packaging(source.get("Source"), source.get("Maintainer")), "debian/rules"
    for name in names:
        key, directory = record.service_key(name), templates.names(name, settings.namespace)["directory"]
        if new_service.NAME.fullmatch(name) and (key in recorded or _is_scaffolded(root, name, settings.namespace)):
            yield key, new_service.scaffolds(project, settings, name)[key], f"{directory}/setup.py"


def _is_scaffolded(root: Path, name: str, namespace: str) -> bool:
    """Tell whether a service has the files that all of ours have had from the beginning."""
    names = templates.names(name, namespace)
    directory = root / names["directory"]
    files = ("setup.py", f"{names['module']}/main.py", f"bin/{names['script']}")
    return (
        all((directory / file).is_file() for file in files)
        and (root / "debian" / f"{names['package']}.service").is_file()
    )


def _revision_at(history: Repository, path: str, toolkit: Path) -> str:
    """Return the commit of the toolkit that a project had as its submodule when it got a file, empty for none."""
    if history.ask("rev-parse", "--is-shallow-repository") == "true":
        # Its oldest commit seems to have added everything.
        raise UserError(
            f"{history.directory}: a shallow clone, whose history does not say from which templates it came",
            "`git fetch --unshallow` gets all of it",
        )
    commit = history.ask("log", "--diff-filter=A", "--format=%H", "--max-count=1", "--", path)
    if not commit or not toolkit.is_relative_to(history.directory):
        return ""
    mode, _, rest = history.ask("ls-tree", commit, str(toolkit.relative_to(history.directory))).partition(" ")
    return rest.split()[1] if mode == "160000" else ""
