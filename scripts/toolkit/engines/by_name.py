"""The engines behind the seam of resolution, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from toolkit.engines.engine import Engine
from toolkit.engines.pip_tools import PipTools
from toolkit.engines.uv import Uv
from toolkit.network.index_settings import Indexes

#: They run inside the tools environment. The indexes are for what errors say.
ENGINES: Mapping[str, Callable[[Indexes], Engine]] = {"uv": Uv, "pip-tools": PipTools}
