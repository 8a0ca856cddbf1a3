"""What engines see of the machine."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from toolkit.core import process
from toolkit.engines.by_name import ENGINES
from toolkit.engines.engine import Request, engine_environment
from toolkit.model.targets import Targets
from toolkit.network.index_settings import Indexes

SECRET = "s3cret"
REQUEST = Request(
    requirements=("lib",),
    targets=Targets(pythons=(f"{sys.version_info.major}.{sys.version_info.minor}",)),
    platforms=("linux",),
)


def test_an_engine_gets_no_credential_no_proxy_and_no_place_but_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("INDEX_URL", "PIP_INDEX_URL", "UV_INDEX", "https_proxy", "ALL_PROXY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, f"https://user:{SECRET}@host.test")
    found = engine_environment(tmp_path)
    assert SECRET not in str(found)
    assert {name for name, value in found.items() if value == str(tmp_path)} == {
        *("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_CACHE_HOME", "XDG_DATA_HOME")
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_is_told_of_one_index_alone_and_its_command_line_does_not_have_it(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    indexes = Indexes(url=f"https://user:{SECRET}@host.test/simple", extra=("https://other.test/simple",))
    url = "http://127.0.0.1:1/token/simple"

    def run(words: list[str | Path], *, cwd: Path, env: Mapping[str, str]) -> str:
        written = "".join(path.read_text() for path in cwd.rglob("*") if path.is_file())
        assert url in written or env["PIP_INDEX_URL"] == url
        assert "token" not in str(words)
        assert SECRET not in f"{words} {env} {written}"
        assert "host.test" not in f"{words} {env} {written}" and "other.test" not in f"{words} {env} {written}"
        assert cwd.stat().st_mode & 0o077 == 0
        # uv looks for settings of the machine there before it looks in /etc.
        assert engine != "uv" or (cwd / "uv" / "uv.toml").read_text() == ""
        (cwd / "pylock.toml").write_text('[[packages]]\nname = "lib"\nversion = "1.0"\n')
        (cwd / "requirements.txt").write_text("lib==1.0\n")
        return ""

    monkeypatch.setattr(process, "read", run)
    assert [pinned.key for pinned in ENGINES[engine](indexes).choose(REQUEST, url)] == ["lib==1.0"]
