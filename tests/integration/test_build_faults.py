"""`make build` when something is wrong: the build's own words are kept, and nothing is left in the way."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from tests.integration.workshop import HERE, Sleeper, Workshop, finish, wait_for
from toolkit.build import interpreters
from toolkit.core import files, process

_SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n'
_OWN = """
from tiny_backend import *
import tiny_backend
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    {body}
    return tiny_backend.build_wheel(wheel_directory)
"""


def vendored(shop: Workshop, index: LocalIndex, body: str) -> Workshop:
    """Return a project whose one requirement, `thing`, runs some code when it is built."""
    sdists.publish(index, "thing", "1.0", files={"own.py": _OWN.format(body=body), "pyproject.toml": _SYSTEM})
    shop.service("app", "thing")
    done = shop.vendor()
    assert done.status == 0, done.err
    return shop


def test_the_message_of_a_build_and_its_log_are_kept(shop: Workshop, index: LocalIndex) -> None:
    vendored(shop, index, "print('first words'); raise SystemExit('libfoo is too old')")
    done = shop.build()
    log = shop.root / "build" / "logs" / "thing-1.0.log"
    assert done.error == ("thing 1.0: its wheel could not be built", f"the whole output is in {log}")
    assert "libfoo is too old" in done.err
    assert "first words" in log.read_text(encoding="utf-8")
    assert shop.leftovers() == []


@pytest.mark.parametrize(
    ("end", "what", "told"),
    [
        ("sys.exit()", "its wheel could not be built", "SystemExit"),
        ("sys.stdout.flush(); os._exit(0)", "its build backend gave no answer to build_wheel (it ended before)", ""),
    ],
)
def test_a_build_that_ends_as_if_all_were_well(
    shop: Workshop, index: LocalIndex, end: str, what: str, told: str
) -> None:
    vendored(shop, index, f"import os, sys; print('first words'); {end}")
    done = shop.build()
    assert done.error[0] == f"thing 1.0: {what}"
    assert "  | first words" in done.err
    assert told in done.err


def test_a_package_of_the_project_that_fails_is_named_without_a_version(shop: Workshop) -> None:
    shop.service("app")
    assert shop.vendor().status == 0
    shop.write({"app/tiny_backend.py": "raise SystemExit('no')\n"})
    assert shop.build().error[0] == "app: its wheel could not be built"


@pytest.mark.parametrize(
    ("source", "hint"),
    [("#include <ldap.h>\n", "apt install libldap-dev"), ("#include <no/such.h>\n", "apt-file search /no/such.h")],
)
def test_a_header_that_is_missing(shop: Workshop, index: LocalIndex, source: str, hint: str) -> None:
    if Path("/usr/include/ldap.h").exists():
        pytest.skip("the header is there")
    vendored(shop, index, f"tiny_backend.SETTINGS.update(c_source={source!r}, c_module='_thing')")
    done = shop.build()
    assert done.error[0] == "thing 1.0: its wheel could not be built"
    assert hint in done.error[1]
    assert "fatal error:" in done.err


def test_a_build_has_no_network_and_says_so(shop: Workshop, index: LocalIndex) -> None:
    address = index.url.removeprefix("http://").removesuffix("/simple").split(":")
    tries = "import socket, contextlib\n    with contextlib.suppress(ConnectionRefusedError):\n        socket."
    tries += f"create_connection(({address[0]!r}, {address[1]}))\n    socket.create_connection(('192.0.2.1', 80))"
    vendored(shop, index, tries)
    index.requests.clear()
    what, hint = shop.build().error
    assert what == "thing 1.0: its wheel could not be built"
    assert "builds have no network" in hint
    assert index.requests.total() == 0


@pytest.mark.parametrize("change", ["name='evil'", "version='6.6'"])
def test_a_wheel_that_is_another_one(shop: Workshop, index: LocalIndex, change: str) -> None:
    vendored(shop, index, f"tiny_backend.SETTINGS.update({change})")
    what, hint = shop.build().error
    assert what in ("thing 1.0: its build made evil 1.0", "thing 1.0: its build made thing 6.6")
    assert "make vendor UPGRADE=thing" in hint
    assert not list((files.cache_root() / "store").rglob("thing*.whl"))


def test_an_interpreter_that_is_not_there(shop: Workshop, index: LocalIndex) -> None:
    shop.service("app").write({".python-version": "3.99\n"})
    assert shop.vendor().status == 0
    what, hint = shop.build().error
    assert what == ".python-version: no interpreter for Python 3.99 on this machine"
    assert "python3.99" in hint
    assert HERE in shop.build("--python", sys.executable).error[0]


def test_the_interpreter_of_an_active_environment_stands_for_the_one_it_came_from(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    found = interpreters.find((HERE,), str(tmp_path / "venv" / "bin" / "python"))
    assert not found.path.is_relative_to(tmp_path)
    assert process.read([found.path, "-c", "import sys; print(sys.prefix == sys.base_prefix)"]) == "True\n"


@pytest.mark.parametrize("damage", ["changed", "missing", "stale"])
def test_a_vendor_directory_that_is_not_as_locked(shop: Workshop, index: LocalIndex, damage: str) -> None:
    vendored(shop, index, "pass")
    archive = shop.root / "vendor" / "thing-1.0.tar.gz"
    if damage == "changed":
        archive.write_bytes(archive.read_bytes()[:-1] + b"\1")
    elif damage == "missing":
        archive.unlink()
    else:
        shop.write({"app/requirements.txt": "thing>=1\n"})
    what, hint = shop.build().error
    assert what.startswith("app/requirements.txt: changed" if damage == "stale" else "vendor/thing-1.0.tar.gz: ")
    assert "make vendor" in hint
    assert not (files.cache_root() / "store").exists()


def has_begun(shop: Workshop, name: str = "thing") -> bool:
    """Tell whether a build has printed that it has begun: its log is written as it comes."""
    log = shop.root / "build" / "logs" / f"{name}-1.0.log"
    # The next run begins with a new one.
    with contextlib.suppress(FileNotFoundError):
        return "begun" in log.read_text(encoding="utf-8")
    return False


def test_an_interrupt_ends_all_that_builds(shop: Workshop, index: LocalIndex) -> None:
    sleeper = Sleeper()
    vendored(shop, index, sleeper.body)
    running = shop.start("build")
    wait_for(lambda: has_begun(shop))
    assert sleeper.is_alive()
    done = finish(running, signal.SIGINT)
    assert done.status == 130, done.err
    assert not sleeper.is_alive()
    assert shop.leftovers() == []


def test_an_interrupt_while_another_run_builds_the_same(shop: Workshop, index: LocalIndex, tmp_path: Path) -> None:
    """The second project waits for the first one's entry of the store; Ctrl-C must not have to wait too."""
    vendored(shop, index, Sleeper().body)
    twin = dataclasses.replace(shop, root=tmp_path / "twin")
    shutil.copytree(shop.root, twin.root)
    first = shop.start("build")
    wait_for(lambda: has_begun(shop))
    second = twin.start("build", "--jobs", "1")
    assert second.stdout
    assert any(line.startswith("waiting: another build is running") for line in second.stdout)
    assert finish(second, signal.SIGINT, within=10).status == 130
    finish(first, signal.SIGINT)


def test_a_build_that_was_killed_is_in_nobodys_way(shop: Workshop, index: LocalIndex) -> None:
    sleeper = Sleeper()
    vendored(shop, index, sleeper.body)
    running = shop.start("build")
    wait_for(lambda: has_begun(shop))
    finish(running, signal.SIGKILL)
    wait_for(lambda: not sleeper.is_alive(), seconds=2)
    assert shop.leftovers()
    again = shop.start("build")
    wait_for(lambda: has_begun(shop) and sleeper.is_alive())
    assert finish(again, signal.SIGINT).status == 130
    assert shop.leftovers() == []


def test_one_failure_ends_the_others(shop: Workshop, index: LocalIndex) -> None:
    sleeper = Sleeper()
    fail = "import time; time.sleep(2); raise SystemExit('no')"
    sdists.publish(index, "bad", "1.0", files={"own.py": _OWN.format(body=fail), "pyproject.toml": _SYSTEM})
    sdists.publish(index, "slow", "1.0", files={"own.py": _OWN.format(body=sleeper.body), "pyproject.toml": _SYSTEM})
    shop.service("app", "bad", "slow")
    assert shop.vendor().status == 0
    done = finish(shop.start("build"))
    assert done.error[0] == "bad 1.0: its wheel could not be built"
    assert has_begun(shop, "slow")
    assert not sleeper.is_alive()
