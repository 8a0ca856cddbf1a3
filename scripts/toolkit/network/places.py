"""Where `create-virtual-environment` looks for what is not in vendor/: its options, over pip's configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.network import tools_environment

if TYPE_CHECKING:
    from toolkit.network.index_settings import Indexes


@dataclass(frozen=True, kw_only=True)
class Places:
    """The options `--index-url`, `--find-links` (URLs, or directories) and `--no-index`, as pip has them."""

    index_url: str = ""
    find_links: tuple[str, ...] = ()
    no_index: bool = False

    def enter(self) -> Indexes:
        """Go into the tools environment, whose libraries ask indexes, and return the indexes to use."""
        tools_environment.enter(self.index_url)
        from toolkit.network import index_settings

        found = index_settings.read(self.index_url)
        given = (place if "://" in place else str(Path(place).expanduser().absolute()) for place in self.find_links)
        return replace(found, find_links=(*given, *found.find_links), no_index=self.no_index or found.no_index)
