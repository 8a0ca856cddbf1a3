"""The Debian packages of Python distributions, by the list of dh-python."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

#: `name package` in each line; the names as dh_python3 compares them, with `_` for `-`.
LIST = Path("/usr/share/dh-python/dist/cpython3_fallback")
#: Corrections for builds: the list names the package of another module of the same distribution.
_BUILDING = {"setuptools": "python3-setuptools"}


def package_of(requirement: str) -> str:
    """Return the package of a requirement's distribution, named by the Python policy if the list has none."""
    name = re.sub(r"[^a-z0-9.]+", "_", re.split(r"[\s\[(<>=!~;@]", requirement.strip())[0].lower())
    return _BUILDING.get(name) or _known(LIST).get(name) or f"python3-{name.replace('_', '-')}"


@cache
def _known(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return {words[0].lower(): words[1].rstrip(",;") for words in lines if len(words) > 1}
