#!/usr/bin/env python3
"""Draw docs/architecture.svg: the rooms in the order of their table, and an arrow from each to those that it imports.

An arrow that follows from others (a imports b, b imports c) is left out. With `--check` nothing is written, and the
status is 1 where the picture is not what would be drawn.
"""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import rooms

PICTURE = Path("docs/architecture.svg")
_WIDTH, _LEFT, _BOX, _HEIGHT, _STEP, _TOP = 1100, 20, 680, 30, 42, 16
_STYLE = """
    text { font: 13px sans-serif; fill: #1a1a1a }
    .name { font-weight: bold }
    .side { font-size: 12px; fill: #8a4b00 }
    .room { fill: #ffffff; stroke: #5a6672 }
    .above { fill: #fff1dc; stroke: none }
    .arrow { fill: none; stroke: #44617b; stroke-width: 1.2 }
    .head { fill: #44617b }
    .paper { fill: #f7f8f9 }
"""


def arrows(root: Path = rooms.ROOT) -> dict[str, set[str]]:
    """Return which rooms each room imports, without those that it imports by way of another."""
    names = list(rooms.rooms(root))
    direct: dict[str, set[str]] = {name: set() for name in names}
    for module in rooms.modules(root, "scripts/toolkit").values():
        here = rooms.room_of(module.name)
        there = {rooms.room_of(item.imported) for item in module.imports if item.imported.startswith("toolkit.")}
        if here in direct:
            direct[here] |= {name for name in there if name in direct and name != here}
    reached: dict[str, set[str]] = {}
    for name in names:
        reached[name] = direct[name].union(*(reached.get(other, set()) for other in direct[name]))
    return {name: {o for o in direct[name] if not any(o in reached[p] for p in direct[name] - {o})} for name in names}


def draw(root: Path = rooms.ROOT) -> str:
    """Return the picture of a checkout as SVG."""
    table = rooms.rooms(root)
    top = {name: _TOP + index * _STEP for index, name in enumerate(table)}
    height = _TOP + len(table) * _STEP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">',
        f"  <style>{_STYLE}  </style>",
        f'  <rect class="paper" width="{_WIDTH}" height="{height}"/>',
        *_band([top[name] for name, room in table.items() if room.above_the_line]),
        *(line for name, targets in arrows(root).items() for line in _arrows(name, targets, top)),
        *(line for name, room in table.items() for line in _room(room, top[name])),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _band(tops: Sequence[int]) -> Iterator[str]:
    begin, end = min(tops) - 6, max(tops) + _HEIGHT + 6
    yield f'  <rect class="above" x="0" y="{begin}" width="{_WIDTH}" height="{end - begin}"/>'
    yield f'  <text class="side" text-anchor="end" x="{_WIDTH - 10}" y="{begin + 16}">above the network line</text>'


def _room(room: rooms.Room, top: int) -> Iterator[str]:
    middle = top + _HEIGHT // 2 + 5
    knows = html.escape(re.sub("`", "", room.knows))
    yield f'  <rect class="room" x="{_LEFT}" y="{top}" width="{_BOX}" height="{_HEIGHT}" rx="4"/>'
    yield f'  <text class="name" x="{_LEFT + 10}" y="{middle}">{room.name}/</text>'
    yield f'  <text x="{_LEFT + 165}" y="{middle}">{knows}</text>'


def _arrows(name: str, targets: set[str], top: Mapping[str, int]) -> Iterator[str]:
    """Yield curves to the right of the boxes, the wider the farther they go; they end below the middle of a box."""
    right = _LEFT + _BOX
    for target in sorted(targets, key=lambda other: top[other]):
        begin, end = top[name] + _HEIGHT // 2 - 6, top[target] + _HEIGHT // 2 + 5
        bulge = right + 16 + (begin - end) * 0.46
        yield (
            f'  <path class="arrow" d="M{right} {begin} C{bulge:.0f} {begin} {bulge:.0f} {end} {right + 7} {end}">'
            f"<title>{name} imports {target}</title></path>"
        )
        yield f'  <path class="head" d="M{right} {end} l8 -4 v8 z"/>'


def main(arguments: Sequence[str]) -> int:
    """Write the picture, or compare it."""
    path, drawn = rooms.ROOT / PICTURE, draw()
    if "--check" not in arguments:
        path.write_text(drawn, encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != drawn:
        print(f"{PICTURE} shows other imports than there are: `make architecture` draws it")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
