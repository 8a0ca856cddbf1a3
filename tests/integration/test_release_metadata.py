"""Where `make vendor` learns what a release requires, and what no index and no sdist can do to it meanwhile."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex, serving
from tests.integration.workshop import HERE, Workshop
from toolkit.core import files
from toolkit.network import retry

IN_TREE = '[build-system]\nrequires = []\nbuild-backend = "spy"\nbackend-path = ["."]\n'
RESOLVERS = ("uv", "pip-tools")


def metadata_of(shop: Workshop, key: str) -> tuple[str, tuple[str, ...]]:
    found = shop.lock().find(key)
    return found.metadata, found.requires


def published(index: LocalIndex, name: str, version: str, *requires: str) -> str:
    """Put a wheel on the index with its metadata beside it, as PyPI has it; return its file name."""
    file = f"{name}-{version}-py3-none-any.whl"
    described = sdists.core_metadata(name, version, requires).encode()
    index.add(file, sdists.make_wheel(name, version, requires=requires), metadata=described)
    return file


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_what_the_index_has_beside_a_wheel_is_enough(shop: Workshop, index: LocalIndex, resolver: str) -> None:
    wheel = published(index, "thing", "1.0", "lib")
    sdists.publish(index, "thing", "1.0", metadata=False)
    sdists.publish(index, "lib", "1.0")
    shop.service("app", "thing")
    assert shop.vendor("--resolver", resolver).status == 0
    assert shop.keys() == ["lib==1.0", "thing==1.0"]
    assert metadata_of(shop, "thing==1.0") == ("wheel", ("lib",))
    assert metadata_of(shop, "lib==1.0") == ("", ())
    assert index.requests[f"/files/{wheel}.metadata"] == 1
    assert index.requests[f"/files/{wheel}"] == 0
    assert index.requests["/files/thing-1.0.tar.gz"] == index.requests["/simple/thing/"] == 1
    # It is known by its hash from now on.
    shop.write({"app/requirements.txt": "thing\nlib\n"})
    assert shop.vendor("--resolver", resolver).status == 0
    assert index.requests[f"/files/{wheel}.metadata"] == 1


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_what_the_vendored_sdist_certainly_says_counts_whatever_the_index_has_beside_a_wheel(
    shop: Workshop, index: LocalIndex, resolver: str
) -> None:
    published(index, "thing", "1.0", "evil")
    sdists.publish(index, "thing", "1.0", requires=["lib"])
    for name in ("lib", "evil"):
        sdists.publish(index, name, "1.0")
    shop.service("app", "thing")
    assert shop.vendor("--resolver", resolver).status == 0
    assert shop.keys() == ["lib==1.0", "thing==1.0"]
    assert metadata_of(shop, "thing==1.0") == ("", ("lib",))


def test_a_wheel_that_is_vendored_is_what_the_index_has_beside_it(shop: Workshop, index: LocalIndex) -> None:
    file = "thing-1.0-py3-none-any.whl"
    described = sdists.core_metadata("thing", "1.0", ["evil"]).encode()
    index.add(file, sdists.make_wheel("thing", "1.0", requires=["lib"]), metadata=described)
    for name in ("lib", "evil"):
        sdists.publish(index, name, "1.0")
    shop.service("app", "thing").write({"app/vendor.txt": "thing\n"})
    assert f"{file}: what the index says of thing 1.0 is not" in shop.vendor().error[0]
    index.add(file, sdists.make_wheel("thing", "1.0", requires=["evil"]), metadata=described)
    assert shop.vendor().status == 0
    assert shop.keys() == ["evil==1.0", "thing==1.0"]


@pytest.mark.parametrize("beside", [True, False])
def test_what_was_known_of_an_open_sdist_is_locked(shop: Workshop, index: LocalIndex, beside: bool) -> None:
    def wheel(*requires: str) -> None:
        # Not among those that a lock offers: it is for another machine.
        tag = f"cp{HERE.replace('.', '')}-none-win_amd64"
        described = sdists.core_metadata("thing", "1.0", requires).encode() if beside else None
        content = sdists.make_wheel("thing", "1.0", requires=requires, tag=tag)
        index.add(f"thing-1.0-{tag}.whl", content, metadata=described)

    wheel("lib")
    sdists.publish(index, "thing", "1.0", metadata=False)
    for name in ("lib", "evil"):
        sdists.publish(index, name, "1.0")
    shop.service("app", "thing")
    assert shop.vendor().status == 0
    assert metadata_of(shop, "thing==1.0") == ("wheel", ("lib",))
    before = shop.vendored()
    # A word more or less between them makes no other requirement.
    wheel("lib ")
    shop.write({"app/requirements.txt": "thing\nlib\n"})
    assert shop.vendor().status == 0
    wheel("lib", "evil")
    shop.write({"app/requirements.txt": "thing\n"})
    assert "has a wheel that says otherwise than when vendor/pylock.app.toml was made" in shop.vendor().error[0]
    assert before.keys() == shop.vendored().keys()
    assert shop.vendor("--upgrade", "thing").status == 0
    assert shop.keys() == ["evil==1.0", "lib==1.0", "thing==1.0"]


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_a_wheel_is_read_where_neither_index_nor_sdist_is_certain(
    shop: Workshop, index: LocalIndex, resolver: str
) -> None:
    sdists.publish_wheel(index, "thing", "1.0", requires=["lib"])
    sdists.publish(index, "thing", "1.0", metadata=False)
    sdists.publish(index, "lib", "1.0")
    shop.service("app", "thing")
    assert shop.vendor("--resolver", resolver).status == 0
    assert metadata_of(shop, "thing==1.0") == ("wheel", ("lib",))


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_a_build_is_asked_where_nothing_else_tells(shop: Workshop, index: LocalIndex, resolver: str) -> None:
    sdists.publish(index, "thing", "1.0", requires=['lib; extra == "more"', "other"], metadata=False)
    for name in ("lib", "other"):
        sdists.publish(index, name, "1.0")
    shop.service("app", "thing[more]")
    done = shop.vendor("--resolver", resolver)
    assert done.status == 0, done.err
    assert shop.keys() == ["lib==1.0", "other==1.0", "thing==1.0"]
    assert metadata_of(shop, "thing==1.0") == ("build", ('lib; extra == "more"', "other"))


def test_a_backend_that_makes_no_metadata_makes_a_wheel(shop: Workshop, index: LocalIndex) -> None:
    spy = "import tiny_backend\nbuild_wheel = tiny_backend.build_wheel\n"
    sdists.publish(
        index, "thing", "1.0", requires=["lib"], metadata=False, files={"spy.py": spy, "pyproject.toml": IN_TREE}
    )
    sdists.publish(index, "lib", "1.0")
    shop.service("app", "thing")
    done = shop.vendor()
    assert done.status == 0, done.err
    assert metadata_of(shop, "thing==1.0") == ("build", ("lib",))


@pytest.mark.parametrize("answer", ["5", "None if 1 else 0", "'../../etc'", "'x.dist-info'", "['x']"])
def test_a_backend_that_answers_anything_is_told_of(shop: Workshop, index: LocalIndex, answer: str) -> None:
    spy = f"def prepare_metadata_for_build_wheel(directory, settings=None, **more):\n    return {answer}\n"
    spy += "def build_wheel(*a, **b):\n    return 5\n"
    spy = spy.replace("(directory,", "(metadata_directory='',").replace("settings=None", "config_settings=None")
    sdists.publish(index, "thing", "1.0", metadata=False, files={"spy.py": spy, "pyproject.toml": IN_TREE})
    what, hint = shop.service("app", "thing").vendor().error
    assert what.startswith("thing: ")
    assert hint


def test_what_builds_metadata_is_built_first_and_locked_by_what_builds_in_the_end(
    shop: Workshop, index: LocalIndex
) -> None:
    # `maker` has no wheel, and itself only a build tells what it requires.
    index.add("maker-1.0.tar.gz", sdists.make_backend("maker", "1.0", requires=["kit"], metadata=False))
    sdists.publish(index, "kit", "1.0", metadata=False)
    index.add("thing-1.0.tar.gz", sdists.make_sdist_with_backend("thing", "1.0", "maker", metadata=False))
    shop.service("app", "thing")
    done = shop.vendor()
    assert done.status == 0, done.err
    assert (shop.keys(), shop.build_keys()) == (["thing==1.0"], ["kit==1.0", "maker==1.0"])


def test_metadata_that_only_its_own_metadata_would_tell_is_a_circle(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "hen", "1.0", build_requires=["egg"], metadata=False)
    sdists.publish(index, "egg", "1.0", build_requires=["hen"], metadata=False)
    what, hint = shop.service("app", "hen").vendor().error
    assert what.startswith("build requirements go in a circle: ")
    assert "hen==1.0" in what and "egg==1.0" in what
    # With a wheel of either, that would have told.
    assert hint.startswith("no index has wheels to begin with")


SPY = """
import os, pathlib, pwd, socket
import tiny_backend
from tiny_backend import build_wheel

def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    try:
        socket.create_connection(("127.0.0.1", {port}), timeout=2)
        tiny_backend.SETTINGS["requires"].append("reached-the-index")
    except OSError:
        pass
    for name, value in os.environ.items():
        if "s3cret" in value:
            tiny_backend.SETTINGS["requires"].append("saw-a-secret")
    for home in (os.path.expanduser("~"), pwd.getpwuid(os.getuid()).pw_dir, {home!r}):
        try:
            pathlib.Path(home, "written-by-a-stranger").write_text("x")
        except OSError:
            pass
    return tiny_backend.prepare_metadata_for_build_wheel(metadata_directory)
"""


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_who_is_asked_for_metadata_sees_and_reaches_nothing(
    shop: Workshop, index: LocalIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resolver: str
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    port = int(index.url.rpartition(":")[2].partition("/")[0])
    spy = SPY.format(port=port, home=str(tmp_path / "home"))
    sdists.publish(index, "thing", "1.0", metadata=False, files={"spy.py": spy, "pyproject.toml": IN_TREE})
    done = shop.service("app", "thing").vendor("--resolver", resolver)
    assert done.status == 0, done.err
    assert metadata_of(shop, "thing==1.0") == ("build", ())
    assert list((tmp_path / "home").iterdir()) == []
    # Once, by the toolkit: no engine asks for it.
    assert index.requests["/files/thing-1.0.tar.gz"] == 1


@pytest.mark.parametrize("resolver", RESOLVERS)
@pytest.mark.parametrize("url", ["git+file:///srv/evil", "https://host.invalid/evil-1.0.tar.gz", "file:///etc/passwd"])
def test_a_requirement_by_url_is_refused_with_who_asks_for_it(
    shop: Workshop, index: LocalIndex, resolver: str, url: str
) -> None:
    sdists.publish(index, "thing", "1.0", requires=[f"evil @ {url}"])
    what, hint = shop.service("app", "thing").vendor("--resolver", resolver).error
    assert what.startswith(f"thing 1.0 requires `evil @ {url}`: a URL")
    assert "vendor.txt" not in hint
    assert index.requests["/simple/evil/"] == 0


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_a_url_that_nobody_needs_does_no_harm(shop: Workshop, index: LocalIndex, resolver: str) -> None:
    requires = ['evil @ git+file:///srv/evil ; extra == "dev"', "bad @ https://host.invalid/x.zip ; os_name == 'nt'"]
    sdists.publish(index, "thing", "1.0", requires=requires)
    sdists.publish(index, "user", "1.0", requires=["lib @ https://host.invalid/lib-1.0.zip"])
    done = shop.service("app", "thing", "user", "lib").package("lib").vendor("--resolver", resolver)
    assert done.status == 0, done.err
    assert shop.keys() == ["thing==1.0", "user==1.0"]


@pytest.mark.parametrize("how", ["static", "hook"])
def test_a_build_requirement_by_url_is_refused(shop: Workshop, index: LocalIndex, tmp_path: Path, how: str) -> None:
    text = f"gitdep @ git+{tmp_path.as_uri()}/gitdep"
    static, dynamic = ([text], []) if how == "static" else ([], [text])
    sdists.publish(index, "thing", "1.0", build_requires=static, dynamic=dynamic)
    what, hint = shop.service("app", "thing").vendor().error
    assert what.startswith("thing-1.0.tar.gz: " if static else "thing: ")
    assert f"`{text}`" in what and "a URL" in what
    assert "vendor.txt" not in hint


def test_a_requirement_by_url_of_an_archive_is_refused(shop: Workshop, index: LocalIndex) -> None:
    url = index.add(
        "thing-1.0.tar.gz",
        sdists.make_sdist("thing", "1.0", requires=["evil @ https://host.invalid/evil-1.0.tar.gz"]),
        name="elsewhere",
    )
    shop.service("app").write({"app/vendor.txt": f"{url}\n"})
    assert shop.vendor().error[0].startswith("thing 1.0 requires `evil @ https://host.invalid/evil-1.0.tar.gz`: a URL")
    shop.write({"app/vendor.txt": "", "app/requirements.txt": f"thing @ {url}\n"})
    assert shop.vendor().error[0].startswith("thing 1.0 requires `evil @ https://host.invalid/evil-1.0.tar.gz`: a URL")


def test_an_archive_by_url_is_known_by_its_hash_from_the_lock(shop: Workshop, index: LocalIndex) -> None:
    url = index.add("thing-1.0.tar.gz", sdists.make_sdist("thing", "1.0"), name="elsewhere")
    sdists.publish(index, "lib", "1.0")
    shop.service("app", f"thing @ {url}")
    assert "no sha256 is given" in shop.vendor().err
    shop.write({"app/requirements.txt": f"thing @ {url}\nlib\n"})
    done = shop.vendor()
    assert (done.status, done.err) == (0, "")
    assert index.requests["/files/thing-1.0.tar.gz"] == 1
    index.add("thing-1.0.tar.gz", sdists.make_sdist("thing", "1.0", modules={"evil": ""}), name="elsewhere")
    files.remove(files.cache_root() / "files")
    shop.write({"app/requirements.txt": f"thing @ {url}\n"})
    what, hint = shop.vendor().error
    assert what.startswith(f"thing-1.0.tar.gz: {url} is not the file that was promised")
    assert "UPGRADE=thing" in hint


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_what_has_a_url_comes_from_nowhere_else(shop: Workshop, index: LocalIndex, resolver: str) -> None:
    url = index.add("maker-1.0.tar.gz", sdists.make_backend("maker", "1.0"), name="elsewhere")
    index.add("maker-9.0.tar.gz", sdists.make_backend("maker", "9.0"))
    index.add("thing-1.0.tar.gz", sdists.make_sdist_with_backend("thing", "1.0", "maker"))
    shop.service("app", f"maker @ {url}", "thing")
    done = shop.vendor("--resolver", resolver)
    assert done.status == 0, done.err
    assert shop.keys() == ["maker==1.0", "thing==1.0"]
    assert [str(item) for item in shop.lock().find("thing==1.0").build_requires] == ["maker==1.0"]
    assert index.requests["/simple/maker/"] == 0


def test_metadata_of_another_hash_than_the_index_says_is_refused(shop: Workshop, index: LocalIndex) -> None:
    wheel = published(index, "thing", "1.0")
    sdists.publish(index, "thing", "1.0")
    index.fails(f"/files/{wheel}.metadata", "corrupt")
    what, hint = shop.service("app", "thing").vendor().error
    assert f"/files/{wheel}.metadata has sha256 " in what
    assert "find out why" in hint


def test_a_requirement_that_no_engine_can_read_is_told_as_one(shop: Workshop, index: LocalIndex) -> None:
    described = b"Metadata-Version: 2.1\nName: thing\nVersion: 1.0\nRequires-Dist: other~=1\n"
    index.add("thing-1.0-py3-none-any.whl", sdists.make_wheel("thing", "1.0"), metadata=described)
    sdists.publish(index, "thing", "1.0")
    shop.service("app", "thing")
    said, hint = shop.vendor("--resolver", "uv").error
    assert said == "app/requirements.txt:1: thing 1.0 requires what is no requirement"
    assert hint == "use another version of it, or leave it out"


def test_a_fault_of_a_release_that_is_not_taken_does_no_harm(shop: Workshop, index: LocalIndex) -> None:
    for version in ("1.0", "2.0"):
        sdists.publish(index, "thing", version)
    wheel = published(index, "thing", "2.0")
    index.fails(f"/files/{wheel}.metadata", "corrupt")
    sdists.publish(index, "strict", "1.0", requires=["thing<2"])
    done = shop.service("app", "thing", "strict").vendor()
    assert done.status == 0, done.err
    assert shop.keys() == ["strict==1.0", "thing==1.0"]


def bomb(name: str, size: int) -> bytes:
    """Return an sdist of a few kilobytes with one file of so many bytes."""
    stream = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=9) as packed,
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        member = tarfile.TarInfo(f"{name}-1.0/zeros")
        member.size = size
        archive.addfile(member, _Zeros(size))
    return stream.getvalue()


class _Zeros(io.RawIOBase):
    def __init__(self, size: int) -> None:
        self._left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        found = min(self._left, size)
        self._left -= found
        return b"\0" * found


def test_a_bomb_is_refused_and_nothing_of_it_is_left(shop: Workshop, index: LocalIndex) -> None:
    index.add("thing-1.0.tar.gz", bomb("thing", 1 << 30))
    what, hint = shop.service("app", "thing").vendor().error
    assert "thing-1.0.tar.gz" in what
    assert str(files.cache_root()) not in what
    assert "restore" not in hint
    left = sum(path.stat().st_size for path in files.cache_root().rglob("*") if path.is_file())
    assert left < 16 << 20
    assert shop.leftovers() == []


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_no_index_can_put_a_newer_build_tool_in_the_place_of_the_first_ones(
    shop: Workshop, index: LocalIndex, resolver: str
) -> None:
    sdists.publish_wheel(index, "setuptools", "84.2.1")
    sdists.publish_wheel(index, "thing", "1.0")
    sdists.publish(index, "thing", "1.0", backend="legacy", metadata=False)
    shop.service("app", "thing").write({"app/vendor.txt": "setuptools\n"})
    with serving() as second:
        sdists.publish_wheel(second, "setuptools", "999.0")
        sdists.publish(second, "thing", "9.0")
        options = ("--resolver", resolver, "--extra-index-url", second.url)
        assert shop.vendor(*options).status == 0
        assert (shop.keys(), shop.build_keys()) == (["thing==1.0"], ["setuptools==84.2.1"])
        assert second.requests.total() == 0
        files.remove(shop.root / "vendor")
        assert shop.vendor(*options, "--index-strategy", "best-match").status == 0
        assert (shop.keys(), shop.build_keys()) == (["thing==9.0"], [])


def test_a_login_page_is_no_index(shop: Workshop, index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "BACKOFF", 0)
    page = b"<html><body><form><input name=user><a href=/help>help</a></form></body></html>"
    monkeypatch.setattr(index, "page", lambda project: ("text/html", page))
    what, hint = shop.service("app", "thing").vendor().error
    assert what == f"{index.url}/thing/ answers with something that is not an index"
    assert "INDEX_URL=" in hint


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_a_condition_that_is_nested_too_deeply_is_seen_by_no_engine(
    shop: Workshop, index: LocalIndex, resolver: str
) -> None:
    sdists.publish(index, "thing", "1.0", requires=[f"lib ; {'(' * 900}os_name == 'posix'{')' * 900}"])
    done = shop.service("app", "thing").vendor("--resolver", resolver)
    assert done.error[0].startswith("thing 1.0 requires `lib ; ((((")


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_a_condition_that_means_nothing_ends_nobody(shop: Workshop, index: LocalIndex, resolver: str) -> None:
    # What packaging raises `UndefinedComparison` for.
    sdists.publish(index, "thing", "1.0", requires=["lib ; os_name ~= 'posix'"])
    sdists.publish(index, "lib", "1.0")
    shop.service("app", "thing")
    done = shop.vendor("--resolver", resolver)
    assert done.status == 0 if resolver == "uv" else done.error[0].startswith("pip-compile failed"), done.err
