"""The engines behind the seam of resolution, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from toolkit.network.index_settings import Indexes
from toolkit.resolve.engine import Resolver
from toolkit.resolve.pip_tools import PipToolsResolver
from toolkit.resolve.uv import UvResolver

#: They run inside the tools environment.
ENGINES: Mapping[str, Callable[[Indexes], Resolver]] = {"uv": UvResolver, "pip-tools": PipToolsResolver}
