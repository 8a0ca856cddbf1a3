"""What a run of `vendor` changed, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable

from toolkit import ui
from toolkit.lock import Lock


def report(old: Iterable[Lock], new: Iterable[Lock], *, dry_run: bool) -> None:
    """Print what was added, removed and moved to other versions, and the totals."""
    before, after = _versions(old), _versions(new)
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            ui.note(f"    - {name} {before[name]}")
        elif name not in before:
            ui.note(f"    + {name} {after[name]}")
        elif before[name] != after[name]:
            ui.note(f"    * {name} {before[name]} -> {after[name]}")
    sizes = {file.name: file.size for item in new for file in item.vendored_files().values()}
    names = ", ".join(item.service for item in new)
    size = sum(sizes.values()) / 1e6
    ui.step("WOULD" if dry_run else "VENDOR", f"{names}: {len(sizes)} files, {size:.1f} MB in vendor/")


def _versions(locks: Iterable[Lock]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for item in locks:
        for distribution in item.distributions():
            found.setdefault(distribution.name, set()).add(distribution.version)
    return {name: ", ".join(sorted(versions)) for name, versions in found.items()}
