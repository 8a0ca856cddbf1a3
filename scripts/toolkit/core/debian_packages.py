"""The list of Debian packages that the toolkit needs: on this machine, and in stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

LIST = Path(__file__).resolve().parents[2] / "system-packages.txt"


def read(groups: Sequence[str], path: Path = LIST) -> dict[str, str]:
    """Return the packages of these groups, each with the reason it is needed for."""
    lines = [line.split(None, 2) for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {name: why for name, group, why in lines if group in groups}
