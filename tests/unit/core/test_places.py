"""Where the cache is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toolkit.core import places
from toolkit.core.errors import UserError


def test_a_relative_path_is_no_place_for_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert places.cache_root() == Path("/home/somebody/.cache/python-common")


def test_who_has_no_home_is_told_to_name_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    # As for a user of whom nothing is known (os.path.expanduser).
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.raises(UserError, match="no home directory"):
        places.cache_root()
