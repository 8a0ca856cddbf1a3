"""Variables for uv come from a process in the tools environment; no command line holds a password."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.develop import index_wheels
from toolkit.network.index_options import IndexOptions

OPTIONS = IndexOptions(index_url="https://user:s3cret@host.test/simple")


def answering(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a script in the place of the tools environment's Python."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setattr(index_wheels, "_tools", lambda options: python)


def test_the_index_travels_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = """
    printf '{"variables": {"line": "%s", "index": "%s"}}' "$(tr '\\0' ' ' < /proc/$$/cmdline)" "$INDEX_URL"
    """
    answering(script, tmp_path, monkeypatch)
    found = index_wheels.environment(OPTIONS)
    assert found["index"] == OPTIONS.index_url
    assert "index_runner.py" in found["line"] and "s3cret" not in found["line"]


def test_an_error_arrives_as_it_was_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    what, hint = "error: not what it seems\n hint: this is part of it", "do this"
    (tmp_path / "answer").write_text(json.dumps({"error": [what, hint]}), encoding="utf-8")
    answering(f"cat '{tmp_path}/answer'", tmp_path, monkeypatch)
    with pytest.raises(UserError) as caught:
        index_wheels.environment(OPTIONS)
    assert (caught.value.what, caught.value.hint) == (what, hint)
