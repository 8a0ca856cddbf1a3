"""Programs that nobody has packaged: where they are in a repository, and the files that make packages of them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from toolkit.core import documents
from toolkit.core.errors import UserError
from toolkit.model.names import NAME, normalize
from toolkit.project import package_search, pyproject
from toolkit.scaffold.foreign_files import ForeignFiles
from toolkit.scaffold.templates import Entry, python_text

#: What is beside a program's code: its requirements, or how it is started.
_SIGNS = frozenset({"requirements.txt", "setup.cfg", "pyproject.toml", "manage.py", "Pipfile", "Procfile"})
#: Modules of tools, beside those of the program.
_OF_TOOLS = frozenset({"conftest", "fabfile", "noxfile", "setup", "tasks"})
#: Directories of tools, unless they say that they are packages.
_TOOLS = frozenset({"benchmarks", "bin", "ci", "common", "deploy", "docker", "notebooks", "scripts", "tools"})
#: Directories without modules, which programs read beside their code.
_DATA = frozenset(
    {"alembic", "assets", "config", "data", "locale", "migrations", "public", "resources", "static", "templates"}
)
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_DEEPEST = 2
#: Files in requirements/ by what they are for; of several for one purpose the first counts.
_PURPOSES = {
    "requirements.txt": ("production", "prod", "base", "common", "main", "requirements", "default", "app"),
    "test-requirements.txt": ("test", "tests", "testing", "test-requirements"),
    "dev-requirements.txt": ("dev", "development", "local", "dev-requirements"),
}
_NAMED = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)\s*(?P<extras>\[[\w\s,.-]*\])?")
_INCLUDED = re.compile(r"(?:-r|--requirement)[\s=]*(?P<file>\S+)")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What of a directory is imported: `modules` and `packages` by their names, `data` directories beside them.

    `source` is `src` where they are in there, else empty.
    """

    modules: tuple[str, ...]
    packages: tuple[str, ...]
    data: tuple[str, ...]
    source: str = ""


def directories(files: ForeignFiles, packages: Sequence[PurePosixPath]) -> list[PurePosixPath]:
    """Return the directories with a program that is no package, without those in packages or in each other."""
    taken = list(packages)
    found = []
    for directory in sorted(files.directories):
        if len(directory.parts) > _DEEPEST or any(map(_holds_samples, directory.parts)):
            continue
        is_marked = any(files.has(directory / name) for name in _SIGNS) or _in_requirements(files, directory)
        if is_marked and not any(directory.is_relative_to(other) for other in taken):
            layout = layout_of(files, directory)
            # A root that has nothing but directories with programs is none itself.
            if layout.modules or (layout.packages and not _programs_in(files, directory, layout)):
                taken.append(directory)
                found.append(directory)
    return found


def _holds_samples(name: str) -> bool:
    return package_search.holds_samples(Path(name))


def _programs_in(files: ForeignFiles, directory: PurePosixPath, layout: Layout) -> bool:
    return any(files.has(directory / name / sign) for name in layout.packages for sign in _SIGNS)


def layout_of(files: ForeignFiles, directory: PurePosixPath) -> Layout:
    """Return what of a directory is imported, or read beside that."""
    below = list(files.below(directory))
    source = "src" if any(p.parts[0] == "src" and p.suffix == ".py" for p in below if len(p.parts) > 1) else ""
    if source and PurePosixPath("src/__init__.py") not in below:
        return Layout(
            modules=tuple(_modules(files, directory / source)),
            packages=tuple(_packages(files, directory / source)),
            data=(),
            source=source,
        )
    packages = tuple(_packages(files, directory))
    data = {path.parts[0] for path in below if len(path.parts) > 1} & _DATA - set(packages)
    return Layout(modules=tuple(_modules(files, directory)), packages=packages, data=tuple(sorted(data)))


def _modules(files: ForeignFiles, directory: PurePosixPath) -> Iterator[str]:
    for path in files.below(directory):
        is_module = len(path.parts) == 1 and path.suffix == ".py" and _IDENTIFIER.fullmatch(path.stem)
        is_program = is_module and path.stem not in {*_OF_TOOLS, "__init__"} and not path.stem.startswith("test_")
        if is_program and not files.leads_out(directory / path):
            yield path.stem


def _packages(files: ForeignFiles, directory: PurePosixPath) -> Iterator[str]:
    with_modules = {path.parts[0] for path in files.below(directory) if len(path.parts) > 1 and path.suffix == ".py"}
    for name in sorted(with_modules):
        is_marked = files.has(directory / name / "__init__.py")
        is_sample = _holds_samples(name) or (name in _TOOLS and not is_marked)
        if _IDENTIFIER.fullmatch(name) and not is_sample:
            yield name


def setup_py(files: ForeignFiles, directory: PurePosixPath, name: str) -> Entry:
    """Return a setup.py that makes a package of a directory; what a setup.cfg or [project] says is not said again."""
    target = directory / "setup.py"
    if "[options]" in (settings := files.text(directory / "setup.cfg")) or "[metadata]" in settings:
        return Entry(path=target, text="from setuptools import setup\n\nsetup()\n")
    data = _pyproject(files, directory)
    layout = layout_of(files, directory)
    lines = []
    if "project" not in data:
        poetry = pyproject.table(data, "tool", "poetry")
        version = poetry.get("version")
        lines += [
            f"name={python_text(name)},",
            f"version={python_text(version if isinstance(version, str) else '0.1.0')},",
        ]
    lines += [f'package_dir={{"": "{layout.source}"}},'] if layout.source else []
    # An empty list keeps setuptools from looking for modules itself, among which common/ and vendor/ would be.
    lines += [f"py_modules={_list(layout.modules)},"]
    included = [text for each in (*layout.packages, *layout.data) for text in (each, f"{each}.*")]
    if included:
        where = f'where="{layout.source}", ' if layout.source else ""
        lines += [
            f'packages=find_namespace_packages({where}include={_list(included)}, exclude=["*.__pycache__"]),',
            "# Templates, pictures and the like, which are read beside the modules.",
            'package_data={"": ["**/*"]},',
        ]
    imported = "find_namespace_packages, setup" if included else "setup"
    body = "".join(f"    {line}\n" for line in lines)
    return Entry(path=target, text=f"from setuptools import {imported}\n\nsetup(\n{body})\n")


def is_found_by_chance(files: ForeignFiles, directory: PurePosixPath) -> bool:
    """Tell whether setuptools looks for the modules of a package by itself: it would take common/ and vendor/, too."""
    data = _pyproject(files, directory)
    backend = pyproject.table(data, "build-system").get("build-backend", "setuptools")
    own = pyproject.table(data, "tool", "setuptools")
    said = {"packages", "py-modules"} & own.keys()
    said |= set(re.findall(r"^(packages|py_modules)\s*=", files.text(directory / "setup.cfg"), re.MULTILINE))
    is_setuptools = isinstance(backend, str) and backend.startswith("setuptools")
    return (
        is_setuptools and not said and not files.has(directory / "setup.py") and not layout_of(files, directory).source
    )


def _pyproject(files: ForeignFiles, directory: PurePosixPath) -> dict[str, object]:
    return pyproject.parse(files.text(directory / pyproject.FILE).encode(), str(directory / pyproject.FILE))


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(python_text, texts))}]"


def name_of(files: ForeignFiles, directory: PurePosixPath) -> str:
    """Return what a directory's distribution is called: as its metadata says, else as the directory."""
    try:
        own = documents.ini(files.text(directory / "setup.cfg").encode()).get("metadata", "name", fallback="").strip()
    except ValueError:
        own = ""
    own = own or pyproject.table(_pyproject(files, directory), "tool", "poetry").get("name", "")
    if isinstance(own, str) and NAME.fullmatch(own):
        return normalize(own)
    called = files.root.name if not directory.parts else directory.name
    return re.sub(r"[^a-z0-9]+", "-", called.lower()).strip("-")


def requirements(files: ForeignFiles, directory: PurePosixPath) -> Iterator[Entry]:
    """Yield files of requirements, where others by another name have what would be in them."""
    found = {path.stem: path for path in files.below(directory / "requirements") if len(path.parts) == 1}
    texts = {stem: path for stem, path in found.items() if path.suffix == ".txt"}
    beside = {
        re.sub(r"^requirements[-_.]|[-_.]requirements$", "", path.stem): path
        for path in files.below(directory)
        if len(path.parts) == 1 and re.fullmatch(r"requirements[-_.]\w+\.txt|\w+[-_.]requirements\.txt", path.name)
    }
    for target, stems in _PURPOSES.items():
        if files.has(directory / target):
            continue
        chosen = next((f"requirements/{texts[stem].name}" for stem in stems if stem in texts), "")
        chosen = chosen or next((beside[stem].name for stem in stems if stem in beside), "")
        if chosen:
            yield Entry(path=directory / target, text=f"-r {chosen}\n")


def of_tests(files: ForeignFiles, directory: PurePosixPath) -> Iterator[Entry]:
    """Yield a test-requirements.txt with what tests import and pytest's own of a file that is for developers."""
    target = directory / "test-requirements.txt"
    tests = [path for path in files.below(directory / "tests") if path.suffix == ".py"]
    if not tests or files.has(target) or any(entry.path == target for entry in requirements(files, directory)):
        return
    imported = {name for path in tests for name in _imported(files, directory / "tests" / path)}
    for entry in requirements(files, directory):
        if entry.path.name == "dev-requirements.txt":
            lines = files.text(directory / entry.text.split()[1]).splitlines()
            wanted = [line.strip() for line in lines if _is_for_tests(line, imported)]
            yield from [Entry(path=target, text="".join(f"{line}\n" for line in wanted))] if wanted else []


def _is_for_tests(line: str, imported: set[str]) -> bool:
    names = {name.partition("[")[0] for name in names_in(line)}
    return any(name == "pytest" or name.startswith("pytest-") or name in imported for name in names)


def _imported(files: ForeignFiles, path: PurePosixPath) -> Iterator[str]:
    for line in files.text(path).splitlines():
        if match := re.match(r"\s*(?:from|import)\s+(\w+)", line):
            yield normalize(match[1])


def _in_requirements(files: ForeignFiles, directory: PurePosixPath) -> bool:
    return any(len(path.parts) == 1 and path.suffix == ".txt" for path in files.below(directory / "requirements"))


def required(files: ForeignFiles, path: PurePosixPath) -> set[str]:
    """Return the names in a file of requirements and in those that it includes, each extra also as `name[extra]`."""
    found: set[str] = set()
    todo, seen = [path], set()
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for line in files.text(path).splitlines():
            if included := _INCLUDED.match(line.strip()):
                todo.append(PurePosixPath(posixpath.normpath(path.parent / included["file"])))
            else:
                found |= names_in(line)
    return found


def names_in(requirement: str) -> set[str]:
    """Return what a requirement names: `fastapi[all]>=1` is `fastapi` and `fastapi[all]`."""
    match = _NAMED.match(requirement.strip())
    if not match:
        return set()
    name = normalize(match["name"])
    extras = re.findall(r"[\w.-]+", match["extras"] or "")
    return {name, *(f"{name}[{normalize(extra)}]" for extra in extras)}


def refuse_pipfile(files: ForeignFiles, directory: PurePosixPath) -> None:
    """Raise `UserError` for requirements that only pipenv reads."""
    if files.has(directory / "Pipfile") and not files.has(directory / "requirements.txt"):
        raise UserError(
            f"{directory / 'Pipfile'}: requirements that nothing but pipenv reads",
            "write them as a requirements.txt: `pipenv requirements > requirements.txt`, and commit it",
        )
