"""Which modules of an environment can be reached from some of them, by imports and by names of modules in texts.

Nothing is run: what is computed is not seen, and what is only mentioned counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import takewhile

#: `from .a import (b, c)`, `import a.b as c, d`; statements that go on behind a `\\` are read up to there.
_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+(?P<base>[\w.]+)[ \t]+import[ \t]*(?P<names>\([^()]*\)|[^\n#;]*)"
    rb"|import[ \t]+(?P<modules>[^\n#;]*))",
    re.MULTILINE,
)
#: `"django.contrib.gis"`, `".backends"`, `"celery.app:Celery"`.
_TEXT = re.compile(rb"""["'](?P<name>\.?[A-Za-z_]\w*(?:\.\w+)+|\.\w+)["':]""")
_WORD = re.compile(r"[\w.]+")
#: Characters in the name of a module that is looked for.
_LONGEST = 300


def reached(modules: Mapping[str, str], roots: Iterable[str], read: Callable[[str], bytes]) -> set[str]:
    """Return the files that are reached from roots, all of them modules; `modules` has the file of each module."""
    # Of packages some have no file.
    known = {name for module in modules for name in _with_parents(module)}

    def imported(names: Iterable[str]) -> set[str]:
        # A package is imported before what is in it.
        each = (module for name in names for module in takewhile(known.__contains__, _with_parents(name)))
        return {module for module in each if module in modules and modules[module] not in found}

    found = set[str]()
    left = imported(roots)
    while left:
        module = left.pop()
        file = modules[module]
        found.add(file)
        package = module if file.endswith("/__init__.py") else module.rpartition(".")[0]
        left |= imported(named(read(file), package))
    return found


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def named(content: bytes, package: str) -> Iterator[str]:
    """Yield the names of modules, and of what may be some, that a file of a package has in it."""
    return (name for name in _names(content, package) if len(name) <= _LONGEST)


def _names(content: bytes, package: str) -> Iterator[str]:
    for match in _IMPORT.finditer(content):
        if match["modules"]:
            for part in match["modules"].decode(errors="replace").split(","):
                yield from _WORD.findall(part)[:1]
        else:
            base = _absolute(match["base"].decode(errors="replace"), package)
            yield base
            if len(base) > _LONGEST:
                continue
            names = re.sub(r"#[^\n]*", "", match["names"].decode(errors="replace")).split(",")
            yield from (f"{base}.{words[0]}" for name in names if (words := _WORD.findall(name)))
    for match in _TEXT.finditer(content):
        yield _absolute(match["name"].decode(errors="replace"), package)


def _absolute(name: str, package: str) -> str:
    """Return a name with the package before it that its dots mean: one its own, each further one that above."""
    bare = name.lstrip(".")
    above = package.split(".")
    dots = len(name) - len(bare)
    return ".".join(filter(None, [*above[: max(len(above) - dots + 1, 0)], bare])) if dots else bare
