"""The engines behind the seam of resolution, by name."""

from __future__ import annotations

from toolkit.core.errors import UserError
from toolkit.network.index_settings import Indexes
from toolkit.resolve.engine import Resolver
from toolkit.resolve.pip_tools import PipToolsResolver
from toolkit.resolve.uv import UvResolver

ENGINES = ("uv", "pip-tools")


def get(name: str, indexes: Indexes) -> Resolver:
    """Return the engine of this name. Runs inside the tools environment. Raises `UserError` for any other name."""
    if name == "uv":
        return UvResolver(indexes)
    if name == "pip-tools":
        return PipToolsResolver(indexes)
    raise UserError(f"RESOLVER={name}: there is no such engine", f"use one of {', '.join(ENGINES)}")
