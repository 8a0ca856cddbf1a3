"""`make vendor` broken off: by Ctrl-C, by a kill, by a full disk, by a second run. The old vendor/ stays whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex, wait_until
from tests.integration.workshop import SCRIPTS, Sleeper, Workshop, finish, provide_tools, wait_for
from toolkit.core import files

_SLOW_HOOK = """
def get_requires_for_build_wheel(config_settings=None):
    {body}
    return []
"""
_SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "hook"\nbackend-path = ["."]\n'


@pytest.fixture
def vendored(shop: Workshop, index: LocalIndex) -> Workshop:
    """Return a project whose vendor/ is there, and whose requirements have changed since: it wants `wire` 2.0 now."""
    for version in ("1.0", "2.0"):
        sdists.publish(index, "wire", version)
        sdists.publish_wheel(index, "wire", version)
    shop.service("app", "wire==1.0")
    assert shop.vendor().status == 0
    return shop.write({"app/requirements.txt": "wire==2.0\n"})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_a_file_hangs(vendored: Workshop, index: LocalIndex, number: signal.Signals) -> None:
    before = vendored.vendored()
    index.fails("/files/wire-2.0.tar.gz", "hang", seconds=60)
    running = vendored.start("vendor")
    wait_until(index, "/files/wire-2.0.tar.gz")
    start = time.monotonic()
    done = finish(running, number)
    assert (done.status, done.err) == (130, "interrupted: what was there before is untouched\n")
    assert time.monotonic() - start < 30
    assert vendored.vendored() == before
    assert vendored.leftovers() == []


@pytest.mark.parametrize("metadata", [True, False])
def test_an_interrupt_while_a_hook_runs(vendored: Workshop, index: LocalIndex, metadata: bool) -> None:
    before = vendored.vendored()
    sleeper = Sleeper()
    files_of_it = {"hook.py": _SLOW_HOOK.format(body=sleeper.body), "pyproject.toml": _SYSTEM}
    sdists.publish(index, "thing", "1.0", files=files_of_it, metadata=metadata)
    vendored.write({"app/requirements.txt": "thing\n"})
    running = vendored.start("vendor")
    wait_for(sleeper.is_alive)
    done = finish(running, signal.SIGINT)
    assert done.status == 130, done.err
    assert not sleeper.is_alive()
    assert vendored.vendored() == before
    assert vendored.leftovers() == []


def test_after_a_kill_the_next_run_cleans_up(vendored: Workshop, index: LocalIndex) -> None:
    before = vendored.vendored()
    index.fails("/files/wire-2.0.tar.gz", "hang", seconds=60)
    running = vendored.start("vendor")
    wait_until(index, "/files/wire-2.0.tar.gz")
    finish(running, signal.SIGKILL)
    assert vendored.vendored() == before
    assert vendored.leftovers()
    index.faults.clear()
    assert vendored.vendor().status == 0
    assert vendored.keys() == ["wire==2.0"]
    assert vendored.leftovers() == []


@pytest.mark.parametrize("git", ["directory", "file"])
def test_a_kill_just_before_the_swap(vendored: Workshop, git: str) -> None:
    vendor = vendored.root / "vendor"
    staged = vendored.root / ".vendor.new-killed.tmp"
    staged.mkdir()
    if git == "directory":
        (staged / ".git").mkdir()
        (staged / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    else:
        for place in (vendor, staged):
            (place / ".git").write_text("gitdir: elsewhere\n", encoding="utf-8")
    assert vendored.vendor().status == 0
    assert (vendor / ".git" / "HEAD").exists() if git == "directory" else (vendor / ".git").is_file()
    assert vendored.leftovers() == []


def test_a_kill_just_after_the_swap(vendored: Workshop, index: LocalIndex) -> None:
    assert vendored.vendor().status == 0
    staged = vendored.root / ".vendor.new-killed.tmp"
    staged.mkdir()
    (staged / "pylock.app.toml").touch()
    index.requests.clear()
    assert vendored.vendor().out == "  VENDOR  vendor/ is up to date\n"
    assert vendored.leftovers() == []
    assert index.requests.total() == 0


def test_a_kill_between_the_renames_of_a_swap(vendored: Workshop) -> None:
    """Where the file system knows no exchange of two directories."""
    (vendored.root / "vendor").rename(vendored.root / ".vendor.old")
    assert vendored.vendor("--dry-run").status == 0
    assert vendored.keys() == ["wire==1.0"]
    assert vendored.leftovers() == []


def test_two_runs_at_once(vendored: Workshop, index: LocalIndex) -> None:
    index.fails("/files/wire-2.0.tar.gz", "slow", seconds=1.5)
    first = vendored.start("vendor")
    wait_until(index, "/files/wire-2.0.tar.gz")
    second = finish(vendored.start("vendor"))
    assert finish(first).status == 0
    waiting, result = second.out.splitlines()
    assert waiting.startswith("waiting: another make vendor is running")
    assert result == "  VENDOR  vendor/ is up to date"


def test_a_full_disk(vendored: Workshop, index: LocalIndex, tmp_path: Path) -> None:
    """The project is on a file system of its own, with room for the old vendor/ and not for the new one."""
    noise = random.Random(0).randbytes(400_000).hex()
    sdists.publish(index, "wire", "3.0", modules={"wire": f"NOISE = '{noise}'\n"})
    vendored.write({"app/requirements.txt": "wire==3.0\n"})
    mount = tmp_path / "small"
    mount.mkdir()
    provide_tools()
    script = 'mount -t tmpfs -o size=300k none "$1" || exit 77; cp -a "$2/." "$1"; shift 2; "$@"; status=$?\n'
    script += f"cd {mount} && ls -A && cd vendor && sha256sum *; exit $status"
    root = [] if os.geteuid() == 0 else ["-r"]
    command = [sys.executable, str(SCRIPTS / "verb.py"), "vendor", "--project", str(mount), "--index-url", index.url]
    done = subprocess.run(
        ["unshare", *root, "-m", "sh", "-c", script, "sh", str(mount), str(vendored.root), *command],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no mount namespaces here")
    assert done.returncode == 1, done.stderr
    *_, what, hint = done.stderr.splitlines()
    assert "No space left on device" in what
    assert "free some space" in hint
    assert ".vendor" not in done.stdout
    for name in vendored.vendored():
        assert f"{files.sha256(vendored.root / 'vendor' / name)}  {name}" in done.stdout
