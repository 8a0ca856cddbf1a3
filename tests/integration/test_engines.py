"""Both engines against the local index: the same pins, the same two lines when there are none."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex, serving
from tests.integration.workshop import HERE
from toolkit.build.building_options import BuildOptions
from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.engines import by_name
from toolkit.engines.engine import Request, Resolver
from toolkit.model.pins import Pin, Pinned
from toolkit.model.targets import Targets
from toolkit.network.fetch import Fetcher
from toolkit.network.index_settings import Indexes
from toolkit.resolve import resolution

OTHER = "3.12" if HERE == "3.11" else "3.11"


@pytest.fixture(params=by_name.ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def resolver(engine: str, index: LocalIndex, **options: Any) -> Resolver:
    return resolver_of(engine, Indexes(url=index.url, timeout=options.pop("timeout", 10), **options))


def resolver_of(engine: str, indexes: Indexes) -> Resolver:
    return _Closing(engine, indexes)


class _Closing:
    """A resolver whose fetcher and scratch directory live as long as one resolution."""

    def __init__(self, engine: str, indexes: Indexes) -> None:
        self._engine, self._indexes = engine, indexes

    def resolve(self, request: Request) -> tuple[Pin, ...]:
        found = self._indexes
        with Fetcher(found) as fetcher, TemporaryDirectory() as directory:
            scratch = Path(directory)
            made = resolution.create(
                by_name.ENGINES[self._engine](found),
                found,
                fetcher,
                rules={},
                platforms=request.platforms,
                building=BuildOptions(jobs=1, store=scratch / "store"),
                scratch=scratch,
                logs=scratch / "logs",
            )
            return made.inner.resolve(request)


def request(*requirements: str, pythons: tuple[str, ...] = (HERE,), **options: Any) -> Request:
    origins = {text: f"requirements.txt:{number}" for number, text in enumerate(requirements, 1)}
    options = {"platforms": ("linux",), **options}
    return Request(requirements=requirements, targets=Targets(pythons=pythons), origins=origins, **options)


def keys(pins: tuple[Pin, ...]) -> list[str]:
    return [pin.key for pin in pins]


@pytest.fixture
def shelf(index: LocalIndex) -> LocalIndex:
    """Return an index with `app`, which needs `lib`, of which there are three versions."""
    sdists.publish(index, "app", "1.0", requires=["lib>=1"])
    for version, day in (("1.0", "01"), ("1.1", "02"), ("2.0", "03")):
        sdists.publish(index, "lib", version, upload_time=f"2026-06-{day}T00:00:00Z")
    return index


def test_the_newest_versions_and_their_files(shelf: LocalIndex, engine: str) -> None:
    sdists.publish_wheel(shelf, "lib", "2.0")
    app, lib = resolver(engine, shelf).resolve(request("app"))
    assert (app.key, lib.key, lib.marker) == ("app==1.0", "lib==2.0", "")
    file = shelf.file("lib-2.0.tar.gz")
    assert file and lib.sdist
    assert (lib.sdist.size, lib.sdist.sha256) == (len(file.content), hashlib.sha256(file.content).hexdigest())
    assert lib.sdist.url == shelf.url.replace("/simple", "/files/lib-2.0.tar.gz")
    assert [wheel.name for wheel in lib.wheels] == ["lib-2.0-py3-none-any.whl"]


def test_a_distribution_without_an_sdist_is_seen_as_such(index: LocalIndex, engine: str) -> None:
    sdists.publish(index, "lib", "1.0")
    sdists.publish_wheel(index, "lib", "2.0")
    [lib] = resolver(engine, index).resolve(request("lib"))
    assert (lib.key, lib.sdist, len(lib.wheels)) == ("lib==2.0", None, 1)


def test_constraints_hold(shelf: LocalIndex, engine: str) -> None:
    assert keys(resolver(engine, shelf).resolve(request("app", constraints=("lib<2",)))) == ["app==1.0", "lib==1.1"]


def test_preferences_are_kept_and_unknown_ones_do_no_harm(shelf: LocalIndex, engine: str) -> None:
    asked = request("app", preferences=(Pinned("lib", "1.0"), Pinned("gone", "3")))
    assert keys(resolver(engine, shelf).resolve(asked)) == ["app==1.0", "lib==1.0"]


def test_a_preference_that_does_not_satisfy_is_left(shelf: LocalIndex, engine: str) -> None:
    asked = request("app", "lib>1", preferences=(Pinned("lib", "1.0"),))
    assert keys(resolver(engine, shelf).resolve(asked)) == ["app==1.0", "lib==2.0"]


def test_later_releases_are_left_out(shelf: LocalIndex, engine: str) -> None:
    asked = request("lib", exclude_newer="2026-06-02T12:00:00Z")
    assert keys(resolver(engine, shelf).resolve(asked)) == ["lib==1.1"]


def test_what_the_project_provides_is_never_asked_for(shelf: LocalIndex, engine: str) -> None:
    sdists.publish(shelf, "more", "1.0", requires=["app>=2"])
    assert keys(resolver(engine, shelf).resolve(request("more", provided={"app": "2.5"}))) == ["more==1.0"]
    assert shelf.requests["/simple/app/"] == 0


def test_a_provided_distribution_without_a_version_satisfies_all(shelf: LocalIndex, engine: str) -> None:
    sdists.publish(shelf, "more", "1.0", requires=["other>=2"])
    assert keys(resolver(engine, shelf).resolve(request("more", provided={"other": ""}))) == ["more==1.0"]


def test_markers_that_hold_nowhere_are_dropped(shelf: LocalIndex, engine: str) -> None:
    asked = request("lib", 'app; sys_platform == "win32"', f'absent; python_version < "{HERE}"')
    assert keys(resolver(engine, shelf).resolve(asked)) == ["lib==2.0"]


def test_extras_are_followed(index: LocalIndex, engine: str) -> None:
    sdists.publish_wheel(index, "app", "1.0", requires=['lib; extra == "more"'])
    sdists.publish(index, "lib", "1.0")
    assert keys(resolver(engine, index).resolve(request("app"))) == ["app==1.0"]
    assert keys(resolver(engine, index).resolve(request("app[more]"))) == ["app==1.0", "lib==1.0"]


@pytest.mark.parametrize("ending", [".tar.gz", ".tgz", ".zip"])
def test_an_archive_by_url_is_pinned_with_its_hash(shelf: LocalIndex, engine: str, tmp_path: Path, ending: str) -> None:
    content = sdists.make_sdist("direct", "7.0", requires=["lib<2", 'app; extra == "more"'])
    content = sdists.as_zip(content) if ending == ".zip" else content
    url = shelf.add(f"direct-7.0{ending}", content, name="elsewhere")
    (tmp_path / "near-1.0.tar.gz").write_bytes(sdists.make_sdist("near", "1.0"))
    near_url = (tmp_path / "near-1.0.tar.gz").as_uri()
    asked = request(f"direct[more] @ {url}", f"near @ {near_url}")
    app, direct, lib, near = resolver(engine, shelf).resolve(asked)
    assert (app.key, direct.key, lib.key, near.key) == ("app==1.0", "direct==7.0", "lib==1.1", "near==1.0")
    assert direct.archive and near.archive and not direct.sdist
    assert (direct.archive.name, direct.archive.url) == (f"direct-7.0{ending}", url)
    assert direct.archive.sha256 == hashlib.sha256(content).hexdigest()
    assert near.archive.url == near_url


def test_an_archive_by_url_is_what_its_line_says(shelf: LocalIndex, engine: str) -> None:
    url = shelf.add("lib-9.0.tar.gz", sdists.make_sdist("evil", "9.0"), name="elsewhere")
    error = failure(engine, shelf, request(f"lib @ {url}"))
    assert error.what == f"requirements.txt:1: {url} is evil 9.0, not lib"


def test_metadata_that_only_a_build_tells_is_followed(index: LocalIndex, engine: str) -> None:
    sdists.publish(index, "app", "1.0", requires=["lib"], metadata=False, files={"pyproject.toml": _TINY_SYSTEM})
    sdists.publish(index, "lib", "1.0")
    assert keys(resolver(engine, index).resolve(request("app"))) == ["app==1.0", "lib==1.0"]


_TINY_SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "tiny_backend"\nbackend-path = ["."]\n'


@pytest.mark.parametrize(("strategy", "version"), [("first-index", "1.0"), ("best-match", "2.0")])
def test_a_second_index_and_a_directory_have_a_say(
    index: LocalIndex, engine: str, tmp_path: Path, strategy: str, version: str
) -> None:
    sdists.publish(index, "app", "1.0", requires=["lib", "near", "only"])
    (tmp_path / "near-1.0.tar.gz").write_bytes(sdists.make_sdist("near", "1.0"))
    with serving() as second:
        sdists.publish(index, "lib", "1.0")
        sdists.publish(second, "lib", "2.0")
        sdists.publish(second, "only", "1.0")
        found = resolver(engine, index, extra=(second.url,), find_links=(str(tmp_path),), strategy=strategy)
        pins = found.resolve(request("app"))
    assert keys(pins) == ["app==1.0", f"lib=={version}", "near==1.0", "only==1.0"]
    first = index.url if strategy == "first-index" else second.url
    assert [pin.sdist and pin.sdist.index for pin in pins] == [index.url, first, "", second.url]


def test_a_password_is_used_and_does_not_reach_the_pins(engine: str) -> None:
    with serving(credentials="user:s3cret") as guarded:
        sdists.publish(guarded, "lib", "1.0")
        pins = resolver_of(engine, Indexes(url=guarded.with_credentials())).resolve(request("lib"))
        assert keys(pins) == ["lib==1.0"]
        assert "s3cret" not in repr(pins)
        with pytest.raises(UserError) as caught:
            resolver_of(engine, Indexes(url=guarded.with_credentials())).resolve(request("absent"))
        assert "s3cret" not in f"{caught.value}"


def test_no_command_line_holds_a_password(
    engine: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "verbosity", 2)
    with serving(credentials="user:s3cret") as guarded:
        url = guarded.add("direct-7.0.tar.gz", sdists.make_sdist("direct", "7.0"), name="elsewhere")
        asked = f"direct @ {url.replace('://', '://user:s3cret@')}"
        pins = resolver_of(engine, Indexes(url=guarded.with_credentials())).resolve(request(asked))
    assert keys(pins) == ["direct==7.0"]
    shown = "".join(capfd.readouterr())
    assert " compile " in shown and "s3cret" not in shown


def test_a_new_release_is_seen_although_the_index_was_asked_before(shelf: LocalIndex, engine: str) -> None:
    resolver(engine, shelf).resolve(request("lib"))
    sdists.publish(shelf, "lib", "3.0")
    assert keys(resolver(engine, shelf).resolve(request("lib==3.0"))) == ["lib==3.0"]


def test_one_version_for_each_interpreter_where_they_differ(index: LocalIndex) -> None:
    old, new = sorted((HERE, OTHER), key=lambda text: int(text.split(".")[1]))
    sdists.publish(index, "lib", "1.0")
    sdists.publish(index, "lib", "2.0", requires_python=f">={new}")
    pins = resolver("uv", index).resolve(request("lib", pythons=(old, new)))
    assert [(pin.key, pin.marker) for pin in pins] == [
        ("lib==1.0", f"python_version == '{old}'"),
        ("lib==2.0", f"python_version == '{new}'"),
    ]


def test_pip_tools_needs_the_interpreters_of_all_targets(index: LocalIndex) -> None:
    with pytest.raises(UserError, match=r"RESOLVER=pip-tools needs Python 3\.99") as caught:
        resolver("pip-tools", index).resolve(request("lib", pythons=(HERE, "3.99")))
    assert "RESOLVER=uv" in caught.value.hint


def test_pip_tools_resolves_for_this_platform_alone(index: LocalIndex) -> None:
    with pytest.raises(UserError, match="RESOLVER=pip-tools"):
        resolver("pip-tools", index).resolve(request("lib", platforms=("linux", "darwin")))


def failure(engine: str, index: LocalIndex, asked: Request, **options: Any) -> UserError:
    with pytest.raises(UserError) as caught:
        resolver(engine, index, **options).resolve(asked)
    assert "\n" not in caught.value.what
    assert caught.value.hint
    assert "\n" not in caught.value.hint
    assert 'File "/' not in str(caught.value)
    return caught.value


def test_an_unknown_distribution_is_named_with_its_line(shelf: LocalIndex, engine: str) -> None:
    error = failure(engine, shelf, request("lib", "nosuch"))
    assert error.what == f"requirements.txt:2: no distribution `nosuch` in {shelf.url}"


@pytest.mark.parametrize("text", ["lib==9", "lib>=9"])
def test_an_unknown_version_is_named_with_its_line(shelf: LocalIndex, engine: str, text: str) -> None:
    assert failure(engine, shelf, request("app", text)).what == f"requirements.txt:2: no version satisfies `{text}`"


def test_a_conflict_shows_both_chains(shelf: LocalIndex, engine: str) -> None:
    sdists.publish(shelf, "strict", "1.0", requires=["lib<2"])
    error = failure(engine, shelf, request("strict==1.0", "lib>=2"))
    assert error.what == ("requirements.txt:1: strict==1.0, requirements.txt:2: lib>=2 cannot be satisfied together")
    assert "lib<2" in error.details
    assert "lib>=2" in error.details


def test_a_version_for_other_interpreters_is_named(index: LocalIndex, engine: str) -> None:
    sdists.publish(index, "lib", "2.0", requires_python=">=3.99")
    error = failure(engine, index, request("lib==2.0"))
    assert error.what == f"requirements.txt:1: lib==2.0 needs Python >=3.99, but the target is {HERE}"


def test_a_build_that_fails_when_asked_for_metadata_is_named(index: LocalIndex, engine: str) -> None:
    files = {"pyproject.toml": _TINY_SYSTEM, "tiny_backend.py": "raise SystemExit('no libfoo here')\n"}
    sdists.publish(index, "broken", "1.0", metadata=False, files=files)
    error = failure(engine, index, request("broken"))
    what = "broken: its build backend failed to name its build requirements"
    assert error.what == f"{what}; broken 1.0 is there for requirements.txt:1: broken"
    assert "no libfoo here" in error.details
    # There is no wheel of it, or that would have been asked instead.
    assert "another version of broken" in error.hint and "vendor.txt" not in error.hint


def test_an_index_that_is_not_there_is_named(engine: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    gone = LocalIndex(url=f"http://127.0.0.1:{port}/simple")
    # A long timeout leaves one repetition, so that the test does not last.
    assert "refuses the connection" in failure(engine, gone, request("lib"), timeout=180).what


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [("status", 500, "500 Internal Server Error"), ("status", 403, "403 Forbidden"), ("garbage", 0, "not an index")],
)
def test_an_index_that_is_out_of_order_is_named(
    shelf: LocalIndex, engine: str, fault: Any, status: int, reason: str
) -> None:
    shelf.fails("/simple/lib/", fault, status=status)
    error = failure(engine, shelf, request("lib"), timeout=180)
    assert reason in error.what
    assert shelf.url in error.what


def test_an_index_that_hangs_is_given_up(shelf: LocalIndex, engine: str) -> None:
    shelf.fails("/simple/lib/", "hang", seconds=60)
    assert "does not answer" in failure(engine, shelf, request("lib"), timeout=1).what


def test_a_fault_that_passes_is_not_seen(shelf: LocalIndex, engine: str) -> None:
    shelf.fails("/simple/lib/", "status", status=503, times=1)
    assert keys(resolver(engine, shelf).resolve(request("lib"))) == ["lib==2.0"]
