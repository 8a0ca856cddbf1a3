"""The engines behind the seam of resolution, by name."""

from __future__ import annotations

from toolkit import ui
from toolkit.indexes import Indexes
from toolkit.resolve import Resolver
from toolkit.resolve_pip_tools import PipToolsResolver
from toolkit.resolve_uv import UvResolver

ENGINES = ("uv", "pip-tools")


def get(name: str, indexes: Indexes) -> Resolver:
    """Return the engine of this name. Runs inside the tools environment. Raises `UserError` for any other name."""
    if name == "uv":
        return UvResolver(indexes)
    if name == "pip-tools":
        return PipToolsResolver(indexes)
    raise ui.UserError(f"RESOLVER={name}: there is no such engine", f"use one of {', '.join(ENGINES)}")
