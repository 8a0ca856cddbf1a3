"""What a clean system could not install, told from what apt says."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.core import process
from toolkit.debian import installable
from toolkit.debian.deb_build import Deb

DEPENDS = "python3-one (>= 2), python3-two | python3-three, python3-lib-b, python3:any"
DEBS = [
    Deb(path=Path(f"python3-{name}_1_all.deb"), name=f"python3-{name}", size=1, installed=1)
    for name in ("lib-a", "lib-b")
]


def answer(monkeypatch: pytest.MonkeyPatch, *known: str) -> None:
    """Let apt know these packages."""

    def read(words: list[object]) -> str:
        if words[0] == "dpkg-deb":
            return DEPENDS if "lib-a" in str(words[-2]) else ""
        if "satisfy" in words and str(words[-1]).split(" |")[0] in known:
            return ""
        raise process.CommandError(["apt-get"], 100, "E: Unable to correct problems")

    monkeypatch.setattr(process, "read", read)


def test_names_what_neither_the_release_nor_the_packages_themselves_have(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "python3-two", "python3:any", "python3")
    assert installable.unmet(DEBS) == {"python3-lib-a": ["python3-one (>= 2)"]}


def test_says_nothing_where_apt_knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch)
    assert installable.unmet(DEBS) == {}
