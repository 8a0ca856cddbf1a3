"""The conditions (`--cfg`) that a source tree's own settings of cargo turn on, as unstable parts of crates want it.

https://doc.rust-lang.org/cargo/reference/config.html#buildrustflags
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from toolkit.core import documents
from toolkit.core.documents import Table
from toolkit.model import rust_targets
from toolkit.model.rust_targets import Machine

#: The older name counts first, where both are there.
FILES = (".cargo/config", ".cargo/config.toml")
_OPTION = re.compile(r'[A-Za-z_][A-Za-z0-9_]{0,99}(="[A-Za-z0-9_.+-]{0,99}")?')


def options(content: bytes, machine: Machine) -> frozenset[str]:
    """Return what the flags of these settings turn on for a machine; other flags, such as those of a linker, do not."""
    try:
        settings = Table(documents.toml(content))
        targets = settings.table("target", {})
        names = [name for name in targets.content if rust_targets.holds(name, [machine])]
        # One place counts: what stands for the machine hides what stands for all.
        flags = [flag for name in names for flag in _flags(targets.table(name))]
        return frozenset(_named(flags or _flags(settings.table("build", {}))))
    except ValueError:
        return frozenset()


def _flags(table: Table) -> list[str]:
    value = table.content.get("rustflags", [])
    return value.split() if isinstance(value, str) else [*table.texts("rustflags", ())]


def _named(flags: Iterable[str]) -> Iterator[str]:
    left = iter(flags)
    for flag in left:
        text = next(left, "") if flag == "--cfg" else flag.removeprefix("--cfg=") if flag.startswith("--cfg=") else ""
        if _OPTION.fullmatch(text):
            yield text
