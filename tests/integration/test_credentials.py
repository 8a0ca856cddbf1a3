"""Passwords of indexes, proxies and uploads: seen by nobody, whatever a verb runs, says and writes."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration import sdists
from tests.integration.debian_project import make_project
from tests.integration.local_index import LocalIndex, serving
from tests.integration.workshop import Workshop, finish
from toolkit.core import files

#: Nobody else's: other tests run at the same time.
PASSWORD = f"S3cret{os.getpid()}Pw"
_SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n'
#: A backend that says all that it is told.
_CURIOUS = "import os\nprint(sorted(os.environ.items()))\nfrom tiny_backend import *\n"
#: What else a developer's environment holds.
_OTHERS = {
    "ftp_proxy": f"http://me:{PASSWORD}@127.0.0.1:9",
    "TWINE_PASSWORD": PASSWORD,
    "AWS_SECRET_ACCESS_KEY": PASSWORD,
    "DATABASE_URL": f"postgresql://me:{PASSWORD}@127.0.0.1/db",
}


@pytest.fixture
def guarded() -> Iterator[LocalIndex]:
    with serving(credentials=f"user:{PASSWORD}") as index:
        for version in ("1.0", "2.0"):
            own = {"own.py": _CURIOUS, "pyproject.toml": _SYSTEM}
            sdists.publish(index, "wire", version, files=own, dynamic=["tool"])
        sdists.publish(index, "tool", "1.0")
        yield index


def _in_variables(url: str, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("INDEX_URL", url)


def _in_pip_conf(url: str, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    (home / "pip.conf").write_text(f"[global]\nindex-url = {url}\n", encoding="utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(home / "pip.conf"))


def _in_netrc(url: str, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    (home / "netrc").write_text(f"machine 127.0.0.1 login user password {PASSWORD}\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(home / "netrc"))
    scheme, _, host = url.rpartition("@")
    monkeypatch.setenv("INDEX_URL", f"{scheme.partition('://')[0]}://{host}")


@contextlib.contextmanager
def command_lines() -> Iterator[set[str]]:
    """Give the command lines that any user saw the password in, once the block is over."""
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            # Not a glob, which looks whether each is still there, and may end by one that has just gone.
            for name in filter(str.isdigit, os.listdir("/proc")):
                with contextlib.suppress(OSError):
                    line = Path("/proc", name, "cmdline").read_bytes()
                    if PASSWORD.encode() in line:
                        seen.add(line.decode("utf-8", "replace"))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def written(*places: Path) -> list[str]:
    """Return the files that have the password in them or in their names."""
    paths = [path for place in places for path in place.rglob("*") if not path.is_dir()]
    return [
        str(path)
        for path in paths
        if PASSWORD in str(path) or (path.is_file() and PASSWORD.encode() in path.read_bytes())
    ]


@pytest.mark.parametrize(
    ("configure", "resolver"),
    [(_in_variables, "uv"), (_in_variables, "pip-tools"), (_in_pip_conf, "pip-tools"), (_in_netrc, "uv")],
)
def test_a_password_is_seen_by_nobody(
    shop: Workshop,
    guarded: LocalIndex,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    configure: Callable[[str, pytest.MonkeyPatch, Path], None],
    resolver: str,
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    configure(guarded.with_credentials(), monkeypatch, home)
    for name, value in _OTHERS.items():
        monkeypatch.setenv(name, value)
    shop.service("app", "wire<2")
    resolving = (f"RESOLVER={resolver}",)
    runs = {"vendor": resolving, "check-vendor": (), "outdated": resolving, "build": (), "info": ()}
    with command_lines() as seen:
        for verb, options in runs.items():
            done = finish(shop.start_plain(verb, "V=2", *options), within=120)
            assert done.status == 0, done.out + done.err
            assert PASSWORD not in done.out + done.err, verb
        shop.write({"app/requirements.txt": "wire<2\nabsent\n"})
        done = finish(shop.start_plain("vendor", "V=2", *resolving), within=120)
        assert done.status == 1
        assert PASSWORD not in done.out + done.err
    assert seen == set()
    assert written(shop.root, files.cache_root()) == []


def test_a_package_build_is_told_no_password(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    project.write("debian/rules", "#!/usr/bin/make -f\n%:\n\tenv\n\tdh $@\n")
    project.commit()
    indexes = {"INDEX_URL": f"https://user:{PASSWORD}@127.0.0.1/simple", "PIP_EXTRA_INDEX_URL": PASSWORD}
    variables = {"OF_THE_TEAM": "kept", "DEB_BUILD_OPTIONS": "nocheck", **indexes, **_OTHERS}
    with command_lines() as seen:
        done = project.make("deb", "V=2", **variables)  # type: ignore[arg-type]
    output = done.stdout
    assert done.returncode == 0, output
    assert "OF_THE_TEAM=kept" in output
    assert PASSWORD not in output
    assert seen == set()
    assert written(project.root) == []


@pytest.mark.parametrize(
    ("ending", "status"), [("direct-1.0.tar.gz", 0), ("direct-1.0.exe", 1), ("unnamed.tar.gz", 1), ("other-1.0.zip", 1)]
)
@pytest.mark.parametrize("form", ["requirements.txt", "vendor.txt"])
@pytest.mark.parametrize("place", ["user", "query"])
def test_a_password_in_a_file_of_the_project_stays_there(
    shop: Workshop, index: LocalIndex, form: str, place: str, ending: str, status: int
) -> None:
    index.add("direct-1.0.tar.gz", sdists.make_sdist("direct", "1.0"), name="elsewhere")
    url = index.url.replace("/simple", f"/files/{ending}")
    url = f"{url}?token={PASSWORD}" if place == "query" else url.replace("://", f"://me:{PASSWORD}@")
    shop.service("app", "direct").write({f"app/{form}": f"{url}\n"})
    done = shop.vendor()
    assert done.status == status, done.err
    assert PASSWORD not in done.out + done.err
    if status == 0:
        assert written(shop.root / "vendor", files.cache_root()) == []
        done = shop.run("check-vendor", "--online")
        assert done.status == 0, done.err
        index.remove("direct-1.0.tar.gz")
        index.add("direct-1.0.tar.gz", sdists.make_sdist("direct", "1.0", modules={"direct": "EVIL = 1"}), name="x")
        shutil.rmtree(files.cache_root() / "files")
        for done in (shop.run("check-vendor", "--online"), shop.vendor("--exclude-newer", "2026-11-01")):
            assert "direct-1.0.tar.gz" in done.error[0]
            assert PASSWORD not in done.out + done.err
