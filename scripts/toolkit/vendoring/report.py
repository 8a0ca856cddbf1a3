"""What a run of `vendor` changed, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable

from toolkit.core import console
from toolkit.model.lock import Lock
from toolkit.vendored import lock_diff


def report(old: Iterable[Lock], new: Iterable[Lock], *, dry_run: bool) -> None:
    """Print what was added, removed and moved to other versions, and the totals."""
    before, after = (list(side) for side in (old, new))
    found = lock_diff.compare(*([d for item in side for d in item.distributions()] for side in (before, after)))
    for change in found:
        console.note(f"    {change}")
    sizes = {file.name: file.size for item in after for file in item.vendored_files().values()}
    names = ", ".join(item.service for item in after)
    size = sum(sizes.values()) / 1e6
    console.step(
        "WOULD" if dry_run else "VENDOR",
        f"{names}: {len(sizes)} files, {size:.1f} MB in vendor/; {lock_diff.summary(found) or 'no other versions'}",
    )
