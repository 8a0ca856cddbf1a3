"""The verb that checks vendor/."""

from __future__ import annotations

from toolkit.core import console
from toolkit.verbs.running import Run


def check_vendor(run: Run) -> None:
    """Check vendor/; raises `UserError` with everything that is wrong."""
    run.check_vendor()
    files = [path for path in run.settings.vendor.iterdir() if path.is_file() and path.name != ".git"]
    size = sum(path.stat().st_size for path in files)
    console.step("CHECK", f"vendor/: {len(files)} files, {size / 1e6:.1f} MB, all as locked")
