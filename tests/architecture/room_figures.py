#!/usr/bin/env python3
"""Count what a reader has to open: `room_figures.py [CHECKOUT] [--modules]`; also of a checkout without rooms.

For each room (or folder) its modules and lines, with `--modules` also the first line of each; then, for the verbs that
are read most, the modules of our own that their programs import, to the end, and their lines.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import rooms

#: The verbs that are read most, by the programs they once were.
_VERBS = {"vendor": "vendor", "deb": "deb", "create-virtual-environment": "develop"}


def report(root: Path, *, modules: bool = False) -> Iterator[str]:
    """Yield the lines of the report."""
    toolkit = rooms.modules(root, "scripts/toolkit")
    found = sorted({rooms.room_of(name) for name in toolkit})
    order = list(rooms.rooms(root)) if (root / rooms.DOCUMENT).exists() else []
    yield f"{'room':<20}{'modules':>8}{'lines':>8}{'longest':>9}"
    for room in sorted(found, key=lambda name: order.index(name) if name in order else -1):
        paths = [item.path for name, item in toolkit.items() if rooms.room_of(name) == room]
        own = [path for path in paths if path.name != "__init__.py"]
        if own:
            sizes = [_lines(path) for path in paths]
            yield f"{room or '(top)':<20}{len(own):>8}{sum(sizes):>8}{max(sizes):>9}"
            yield from (f"    {path.stem:<24}{_first_line(path)}" for path in own if modules)
    programs = sorted((root / "scripts").glob("*.py"))
    yield f"{'programs':<20}{len(programs):>8}{sum(map(_lines, programs)):>8}{max(map(_lines, programs)):>9}"
    every = sorted((root / "scripts").rglob("*.py"))
    yield f"{'all of scripts/':<20}{len(every):>8}{sum(map(_lines, every)):>8}"
    for verb, program in _VERBS.items():
        start = _start(root, verb, program)
        opened = rooms.opened(rooms.program(start, toolkit), toolkit)
        paths = [start, *(toolkit[name].path for name in opened if toolkit[name].path.name != "__init__.py")]
        yield f"to read {verb:<28}{len(paths):>8}{sum(map(_lines, paths)):>8}"


def _start(root: Path, verb: str, program: str) -> Path:
    """Return where a verb begins: its module of the table of verbs, or a program of its own."""
    table = root / "scripts/toolkit/verbs/table.py"
    if not table.exists():
        return root / "scripts" / f"{program}.py"
    found = re.search(rf'"{verb}": Verb\(\s*function="(\w+):', table.read_text(encoding="utf-8"))
    assert found, f"{table}: no verb {verb}"
    return table.with_name(f"{found[1]}.py")


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_bytes())) or "").partition("\n")[0]


def main(arguments: Sequence[str]) -> int:
    """Print the report."""
    roots = [Path(word).resolve() for word in arguments if not word.startswith("-")] or [rooms.ROOT]
    for root in roots:
        print(*report(root, modules="--modules" in arguments), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
