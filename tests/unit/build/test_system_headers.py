"""What this system has of headers now."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.build import system_headers


def test_a_header_is_known_by_all_its_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second/x86_64-linux-gnu"
    for place in (first, second):
        (place / "ssl").mkdir(parents=True)
        (place / "ssl/ssl.h").write_text("int one;\n")
    monkeypatch.setattr(system_headers, "_PLACES", (str(first), str(second.parent)))
    found = system_headers.now(["ssl/ssl.h", "gone.h", "../first/ssl/ssl.h", str(first / "ssl/ssl.h"), "\0.h"])
    assert [len(state.split()) for state in found.values()] == [6, 0, 0, 0, 0]
    (second / "ssl/ssl.h").write_text("int other;\n")
    assert system_headers.now(["ssl/ssl.h"]) != {"ssl/ssl.h": found["ssl/ssl.h"]}


def test_those_that_every_build_has_do_not_count() -> None:
    """Each security update of libc touches them, and no wheel has to be built again for that."""
    assert system_headers.now(["stdio.h", "linux/types.h"]) == {"stdio.h": "", "linux/types.h": ""}
    assert system_headers.now(["zlib.h"])["zlib.h"].startswith("/usr/include ")
