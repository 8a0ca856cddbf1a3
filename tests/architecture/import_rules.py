#!/usr/bin/env python3
"""Check the rules of import of docs/architecture.md, as `make lint` does: prints each fault with the rule it breaks.

Imports inside functions and those for type checkers count as well: they are knowledge of the other module, whenever it
is loaded. What stands in docs/architecture.md is not repeated here; its table is read.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import rooms
from rooms import Import, Module, Room

_TOOLKIT = "scripts/toolkit"
_SPAWNER = "toolkit.core.process"
# What a module that is data alone has no use for.
_WORLD = {"os", "shutil", "subprocess", "sys", "tempfile"}


def faults(root: Path) -> Iterator[str]:
    """Yield every fault of a checkout as `path:line: what is wrong (rule N: ...)`."""
    table, toolkit = rooms.rooms(root), rooms.modules(root, _TOOLKIT)
    for module in toolkit.values():
        for item in module.imports:
            yield from (_at(root, module, item.line, fault) for fault in _faults_of(item, module, table))
    programs = [rooms.program(path, toolkit) for path in sorted((root / "scripts").glob("*.py"))]
    for program in programs:
        yield from (_at(root, program, item.line, fault) for item in program.imports for fault in _programs(item))
    # The table of verbs names their modules in texts, so no import leads there.
    verbs = [module for name, module in toolkit.items() if rooms.room_of(name) == "verbs"]
    for start in (*programs, *verbs):
        for name in sorted(rooms.opened(start, toolkit, lazily=False)):
            for item in toolkit[name].imports:
                if item.imported.partition(".")[0] in rooms.ABOVE_THE_LINE and not item.lazy:
                    fault = f"{start.path.stem} loads {name} as it starts, which imports {item.imported}"
                    yield _at(root, start, 1, f"{fault} (rule 3: a program enters the tools environment first)")
    for package in (toolkit, rooms.modules(root, "yc_common")):
        for circle in rooms.circles(package):
            fault = f"{', '.join(circle)} import each other (rule 5: no circle of modules)"
            yield _at(root, package[circle[0]], 1, fault)


def _at(root: Path, module: Module, line: int, fault: str) -> str:
    return f"{module.path.relative_to(root)}:{line}: {fault}"


def _programs(item: Import) -> Iterator[str]:
    top = item.imported.partition(".")[0]
    if top == "subprocess":
        yield _spawner(item)
    elif top != "toolkit" and top not in sys.stdlib_module_names:
        yield f"a program imports {top} (rule 2: a program imports the standard library and the toolkit)"


def _faults_of(item: Import, module: Module, table: Mapping[str, Room]) -> Iterator[str]:
    here = rooms.room_of(module.name) if module.path.name != "__init__.py" else "/".join(module.name.split(".")[1:])
    if not here:
        return
    if here not in table:
        yield f"{here}/ is a room without a row in {rooms.DOCUMENT} (rule 1: the table has all rooms)"
        return
    top = item.imported.partition(".")[0]
    if top == "toolkit":
        yield from _order(item, here, list(table))
    elif top == "subprocess" and module.name != _SPAWNER:
        yield _spawner(item)
    elif here == "model" and top in _WORLD:
        yield f"model/ imports {top} (rule 6: model/ is data: no files, processes or console)"
    elif top not in sys.stdlib_module_names and top not in table[here].distributions:
        allowed = ", ".join(sorted(table[here].distributions)) or "nothing"
        rooms_that_may = ", ".join(name for name, room in table.items() if top in room.distributions) or "no room"
        rule = f"rule 2: beside the standard library {here}/ has {allowed}; {top} is for {rooms_that_may}"
        yield f"{here}/ imports {top} ({rule})"


def _order(item: Import, here: str, order: list[str]) -> Iterator[str]:
    package = "/".join(item.imported.split(".")[1:])
    there = package if package in order else rooms.room_of(item.imported)
    if there not in order:
        yield f"{item.imported} stands in no room (rule 1: a room imports only rooms above it)"
        return
    if here == "model" and item.imported in {"toolkit.core.console", "toolkit.core.files", "toolkit.core.process"}:
        yield f"model/ imports {item.imported} (rule 6: model/ is data: no files, processes or console)"
    if order.index(there) > order.index(here):
        yield f"{here}/ imports {item.imported} (rule 1: a room imports only rooms above it; {there}/ is below {here}/)"


def _spawner(item: Import) -> str:
    return f"{item.importer} imports subprocess (rule 4: only {_SPAWNER} starts processes)"


def main(root: Path) -> int:
    """Print all faults; the status is 1 where there are any."""
    found = list(faults(root))
    print(*found, sep="\n", end="\n" if found else "")
    print(f"imports: {len(found)} break a rule of {rooms.DOCUMENT}" if found else "imports: all rules are kept")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else rooms.ROOT))
