"""The locks of a project as they are, with who requires whom: for verbs that explain, and change nothing."""

from __future__ import annotations

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.project.discovery import Project
from toolkit.project.settings import Settings
from toolkit.vendored import check, lock_file
from toolkit.vendored.dependency_graph import DependencyGraph

#: What a lock lacks that was made before locks held direct requirements.
OUTDATED = "it is from before locks said who needs whom"
RENEW = "run `make vendor`, which brings it up to date and keeps the locked versions"


def read(project: Project, settings: Settings) -> list[DependencyGraph]:
    """Return who requires whom for each lock. Warns of what is not as locked.

    Raises `UserError` without a lock, and when one is from before locks held that.
    """
    locks = lock_file.of_project(project, settings.vendor)
    for problem in check.problems(project, settings, hashes=False):
        console.warn(f"{problem.what}; {problem.hint}")
    for item in locks:
        if item.direct is None:
            raise UserError(f"vendor/pylock.{item.service}.toml: {OUTDATED}", RENEW)
    return [DependencyGraph(lock=item) for item in locks]
