"""The rooms of the toolkit, as the table of docs/architecture.md has them, and what their modules import."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = Path("docs/architecture.md")
# What only the tools environment has.
ABOVE_THE_LINE = frozenset({"pip", "requests", "tomli_w", "urllib3"})
_ABOVE = re.compile(r"^(.*?) stand above the line", re.MULTILINE)
_ROW = re.compile(r"\| `([a-z_/]+)/?` \|(.*)\|(.*)\|")


@dataclass(frozen=True)
class Room:
    """One row of the table: a package below scripts/toolkit/, what it knows, and the distributions it may import.

    What stands above the line may use the network.
    """

    name: str
    knows: str
    distributions: frozenset[str]
    above_the_line: bool


@dataclass(frozen=True)
class Import:
    """One imported module: who imports it where; `lazy` is one in a function, or for type checkers alone."""

    importer: str
    line: int
    imported: str
    lazy: bool


@dataclass(frozen=True)
class Module:
    """One source file, with all that it imports, in functions and for type checkers too."""

    name: str
    path: Path
    imports: tuple[Import, ...]


def rooms(root: Path = ROOT) -> dict[str, Room]:
    """Return the rooms in the order of the table, by their names: `core`, ..., `debian/proof`."""
    text = (root / DOCUMENT).read_text(encoding="utf-8")
    said = _ABOVE.search(text)
    above = set(re.findall(r"`([a-z_/]+)/`", said[1])) if said else set()
    found = {}
    for line in text.splitlines():
        if row := _ROW.fullmatch(line):
            name = row[1].rstrip("/")
            found[name] = Room(name, row[2].strip(), frozenset(re.findall(r"`(\w+)`", row[3])), name in above)
    return found


def room_of(module: str) -> str:
    """Return the room of a module of the toolkit: `toolkit.debian.proof.check` stands in `debian/proof`."""
    return "/".join(module.split(".")[1:-1])


def modules(root: Path, package: str) -> dict[str, Module]:
    """Return the modules of a package by their dotted names, `package` being the path of its directory below `root`."""
    directory = root / package
    paths = {_dotted(path.relative_to(directory.parent)): path for path in sorted(directory.rglob("*.py"))}
    return {name: Module(name, path, tuple(_imports(name, path, paths))) for name, path in paths.items()}


def program(path: Path, known: Mapping[str, Module]) -> Module:
    """Return a program that imports known modules, as a module of its own."""
    return Module(path.stem, path, tuple(_imports(path.stem, path, known)))


def opened(start: Module, known: Mapping[str, Module], *, lazily: bool = True) -> set[str]:
    """Return the modules that `start` imports of those known, and what these import, to the end.

    Without `lazily`, only those that are loaded when `start` is.
    """
    found: set[str] = set()
    waiting = [start]
    while waiting:
        imports = {item.imported for item in waiting.pop().imports if lazily or not item.lazy}
        new = imports & known.keys() - found
        found |= new
        waiting += [known[name] for name in new]
    return found


def circles(known: Mapping[str, Module]) -> list[list[str]]:
    """Return the groups of modules that import each other in a circle, by way of others too."""
    reached = {name: opened(module, known) for name, module in known.items()}
    groups = {frozenset(n for n in reached[name] if name in reached[n]) for name in known if name in reached[name]}
    return sorted(sorted(group) for group in groups)


def _dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _imports(name: str, path: Path, known: Iterable[str]) -> Iterator[Import]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node, lazy in _statements(ast.parse(path.read_bytes()), lazy=False):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(name, node.lineno, alias.name, lazy)
            continue
        parents = package.split(".")
        base = ".".join([*parents[: len(parents) + 1 - node.level], node.module or ""]).rstrip(".")
        base = base if node.level else node.module or ""
        for alias in node.names:
            full = f"{base}.{alias.name}"
            yield Import(name, node.lineno, full if full in known else base, lazy)


def _statements(node: ast.AST, *, lazy: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, lazy
        later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        never = isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
        yield from _statements(child, lazy=lazy or later or never)
