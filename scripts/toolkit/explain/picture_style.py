"""How the picture of a dependency graph looks: colours for paper and for the dark, type, heading and legend."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from html import escape

FONT = "'DejaVu Sans', Verdana, sans-serif"
#: Colour by part or kind of line: on white, and on a dark screen.
_COLOURS = {
    "local": ("#22303c", "#e6edf3"),
    "shipped": ("#2f6f9f", "#6fb3e0"),
    "tests": ("#3f8f5f", "#6fcf97"),
    "build": ("#d08a2c", "#e0a458"),
    "runtime": ("#5f8fb5", "#5f9fd0"),
}
_PARTS = {
    "local": "package of this project",
    "shipped": "shipped",
    "tests": "for tests and developers",
    "build": "only builds",
}
_KINDS = {
    "runtime": "needs",
    "tests": "is tested or developed with",
    "build": "is built with",
    "runtime faint": "follows from others",
}
#: The width of a letter of the legend.
_KEY = 6.6
_LIGHT_TEXT = {"text": "#22303c", "below": "#6b7780", "paper": "#ffffff"}
_DARK_TEXT = {"text": "#e6edf3", "below": "#9aa7b2", "paper": "#10161c"}


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return an upper limit of a text's width: SVG cannot measure it, and fonts differ."""
    return len(text) * size * (0.69 if bold else 0.62)


def css(numbers: Iterable[int]) -> str:
    """Return the style sheet; pointing at a node shows its links and fades the others, where `:has` is supported."""
    rules = [
        _colours(0, _LIGHT_TEXT),
        ".name{font-size:12px;font-weight:bold}.below{font-size:9px}.area{fill:none;pointer-events:all}",
        ".title{font-size:20px;font-weight:bold}.summary{font-size:12px}.key{font-size:11px}",
        ".line,.whole{fill:none;stroke-width:1.3}.line.build{stroke-dasharray:4 2.5;stroke-width:1.1;opacity:.75}",
        ".line.faint{opacity:.35}.whole{opacity:0;stroke-width:2.2;pointer-events:none}.node circle{fill-opacity:.85}",
        "circle.crates{fill-opacity:.3}",
        "@media screen and (prefers-color-scheme:dark){",
        _colours(1, _DARK_TEXT),
        "}",
        "svg:has(.node:hover) .line:not(.sample){opacity:.12}",
    ]
    rules += [f"svg:has(#n{n}:hover) :is(.s{n},.t{n}){{opacity:1}}" for n in numbers]
    return "".join(rules)


def _colours(which: int, text: dict[str, str]) -> str:
    rules = [f".paper{{fill:{text['paper']}}}text{{fill:{text['text']}}}.below,.summary{{fill:{text['below']}}}"]
    for name, colours in _COLOURS.items():
        rules.append(f".{name} circle,.{name} rect:not(.area){{fill:{colours[which]}}}")
        rules.append(f"path.{name}{{stroke:{colours[which]}}}")
    return "".join(rules)


def heading(title: str, summary: str, x: float) -> Iterator[str]:
    """Yield the two lines at the top."""
    yield f'<text class="title" x="{x:.0f}" y="36">{escape(title)}</text>'
    yield f'<text class="summary" x="{x:.0f}" y="55">{escape(summary)}</text>'


def legend(x: float, y: float, used: Collection[str], scale: Sequence[tuple[str, float]]) -> Iterator[str]:
    """Yield one line that explains the signs in use; `scale` gives sizes, as they are written, with their radius."""
    for part, text in _PARTS.items():
        if part in used:
            shape = f'<circle cx="{x + 5:.0f}" cy="{y}" r="5"/>' if part != "local" else square(x + 5, y)
            yield f'<g class="{part}">{shape}</g>{_key(text, x + 15, y)}'
            x += 30 + _KEY * len(text)
    for kind, text in _KINDS.items():
        if kind.split()[0] in used:
            yield f'<path class="line sample {kind}" d="M{x:.0f} {y}h24"/>{_key(text, x + 30, y)}'
            x += 45 + _KEY * len(text)
    if "crates" in used:
        ring = f'<circle cx="{x + 8:.0f}" cy="{y}" r="8" class="crates"/><circle cx="{x + 8:.0f}" cy="{y}" r="3"/>'
        text = "crates of Rust, around their distribution"
        yield f'<g class="shipped">{ring}</g>{_key(text, x + 21, y)}'
        x += 36 + _KEY * len(text)
    for text, radius in scale:
        x += radius
        yield f'<g class="shipped"><circle cx="{x:.0f}" cy="{y}" r="{radius:.1f}"/></g>{_key(text, x + radius + 4, y)}'
        x += radius + 16 + _KEY * len(text)


def square(x: float, y: float) -> str:
    """Return the sign of a local package, which has no size."""
    return f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" rx="2"/>'


def _key(text: str, x: float, y: float) -> str:
    return f'<text class="key" x="{x:.0f}" y="{y + 4}">{text}</text>'
