"""The verb that builds wheels."""

from __future__ import annotations

import time

from toolkit.build import building_options, wheels
from toolkit.core import console
from toolkit.verbs.running import Run

build_options = building_options.add_options


def build(run: Run) -> None:
    """Build every wheel."""
    project, start = run.checked, time.monotonic()
    built = wheels.build(project, run.settings, run.build_options)
    count = len({wheel for service in built.runtime.values() for wheel in service})
    console.step("BUILT", f"{count} wheels for {', '.join(built.runtime)} in {time.monotonic() - start:.1f} s")
