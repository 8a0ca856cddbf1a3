"""`make vendor` when the index or the requirements are at fault: two lines, and the old vendor/ stays whole."""

from __future__ import annotations

import hashlib
import io
import socket
import tarfile

import pytest

from tests.integration import sdists
from tests.integration.local_index import How, LocalIndex
from tests.integration.workshop import HERE, Workshop
from toolkit.core import files
from toolkit.network import retry

WIRE = "/files/wire-2.0.tar.gz"


@pytest.fixture
def vendored(shop: Workshop, index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """Return a project whose vendor/ is there, and whose requirements have changed since: it wants `wire` 2.0 now."""
    for version in ("1.0", "2.0"):
        sdists.publish(index, "wire", version)
    shop.service("app", "wire==1.0")
    assert shop.vendor().status == 0
    shop.write({"app/requirements.txt": "wire==2.0\n"})
    # What is answered quickly is repeated however long the timeout is.
    monkeypatch.setenv("PIP_TIMEOUT", "180")
    return shop


def refused(shop: Workshop, *options: str) -> tuple[str, str]:
    """Run `vendor`, see that it left all as it was, and nothing but honest files in the cache; return the error."""
    before = shop.vendored()
    said = shop.vendor(*options).error
    assert shop.vendored() == before
    assert shop.leftovers() == []
    for path in (files.cache_root() / "files").glob("*/*"):
        assert files.sha256(path) == path.parent.name
    return said


@pytest.mark.parametrize(
    ("requirements", "what"),
    [
        ("wire==2.0\nham=1\n", "app/requirements.txt:2: not a requirement: `ham=1`"),
        ("-e git+https://host.invalid/x\n", "app/requirements.txt:1: -e is not allowed here"),
        ("git+https://host.invalid/x#egg=x\n", "app/requirements.txt:1: a version control URL"),
        ("wire @ https://[host/wire-1.0.tar.gz\n", "app/requirements.txt:1: not a URL"),
        ("https://host:x/wire-1.0.tar.gz\n", "app/requirements.txt:1: not a URL"),
        (f"wire ; {'(' * 3000}os_name == ''{')' * 3000}\n", "app/requirements.txt:1: `wire ; (((("),
        ("wire\nnowhere\n", "app/requirements.txt:2: no distribution `nowhere` in http"),
        ("wire==9\n", "app/requirements.txt:1: no version satisfies `wire==9`"),
    ],
)
def test_requirements_that_make_no_sense(vendored: Workshop, requirements: str, what: str) -> None:
    vendored.write({"app/requirements.txt": requirements})
    said, hint = refused(vendored)
    assert said.startswith(what)
    assert hint


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (["lib>=0.5", "lib==99"], "app/requirements.txt:2: no version satisfies `lib==99`"),
        (["lib>=0.5", "lib<0.7"], "app/requirements.txt:2: no version satisfies `lib<0.7`"),
        (["lib", "lead"], "app/requirements.txt:2: no version satisfies `lib>=7`, which lead requires"),
    ],
)
def test_a_requirement_without_any_version_is_told_alone(
    shop: Workshop, index: LocalIndex, resolver: str, lines: list[str], what: str
) -> None:
    sdists.publish(index, "lib", "1.0")
    sdists.publish(index, "lead", "1.0", requires=["lib>=7"])
    assert shop.service("app", *lines).vendor("--resolver", resolver).error[0] == what


def test_a_wrong_hash_in_a_requirement_is_an_attack_and_told_with_its_line(shop: Workshop, index: LocalIndex) -> None:
    url = index.add("lib-1.0.tar.gz", sdists.make_sdist("lib", "1.0"), name="elsewhere")
    shop.service("app", f"lib @ {url}#sha256={'0' * 64}")
    said, hint = refused(shop)
    assert said.startswith(f"app/requirements.txt:1: lib-1.0.tar.gz: {url} is not the file that was promised")
    assert hint.startswith("do not use it") and "vendor.txt" not in hint


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_what_powershell_writes_is_called_by_its_name(shop: Workshop, encoding: str) -> None:
    for name in ("requirements.txt", "vendor.txt"):
        (shop.service("app").root / "app" / name).write_bytes("idna==3.1\n".encode(encoding))
        said, hint = shop.vendor().error
        assert said == f"app/{name}:1: not UTF-8 text, but UTF-16"
        assert hint.startswith("save the file as UTF-8")
        (shop.root / "app" / name).unlink()


@pytest.mark.parametrize("function", ["sha512", "md5"])
def test_a_hash_in_a_url_counts_whatever_its_function(shop: Workshop, index: LocalIndex, function: str) -> None:
    content = sdists.make_sdist("lib", "1.0")
    url = index.add("lib-1.0.tar.gz", content)
    right = hashlib.new(function, content).hexdigest()
    shop.service("app", f"lib @ {url}#{function}={right[::-1]}")
    assert f"it has {function} {right}, not {right[::-1]}" in shop.vendor().error[0]
    shop.write({"app/requirements.txt": f"lib @ {url}#{function}={right}\n"})
    assert shop.vendor().status == 0


def test_a_conflict_shows_both_chains(vendored: Workshop, index: LocalIndex) -> None:
    for version in ("1.0", "1.1"):
        sdists.publish(index, "lead", version, requires=["wire<2"])
    vendored.write({"app/requirements.txt": "lead\nlib\n"}).package("lib").write({"lib/requirements.txt": "wire>=2\n"})
    done = vendored.vendor()
    assert done.error[0] == "app/requirements.txt:1: lead, lib/requirements.txt:1: wire>=2 cannot be satisfied together"
    assert "wire<2" in done.err


@pytest.mark.parametrize(
    ("how", "status", "reason"),
    [("status", 500, "500 Internal Server Error"), ("status", 403, "403 Forbidden"), ("garbage", 0, "not an index")],
)
def test_an_index_that_is_out_of_order(
    vendored: Workshop, index: LocalIndex, how: str, status: int, reason: str
) -> None:
    files.remove(files.cache_root())
    index.fails("/simple/wire/", how, status=status)  # type: ignore[arg-type]
    said, _ = refused(vendored)
    assert reason in said
    assert index.url in said


def test_a_file_that_hangs(vendored: Workshop, index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_TIMEOUT", "1")
    monkeypatch.setattr(retry, "PATIENCE", 2.5)
    sdists.publish_wheel(index, "wire", "2.0")
    index.fails(WIRE, "hang", seconds=60)
    assert "does not answer within 1 s, 2 times in a row" in refused(vendored)[0]


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
@pytest.mark.parametrize("path", ["/simple/{}/", "/files/{}-1.0.tar.gz"])
def test_a_server_that_dies_is_not_asked_for_one_thing_after_the_other(
    shop: Workshop, index: LocalIndex, monkeypatch: pytest.MonkeyPatch, resolver: str, path: str
) -> None:
    monkeypatch.setenv("PIP_TIMEOUT", "1")
    monkeypatch.setattr(retry, "PATIENCE", 1.5)
    names = [f"wire{number}" for number in range(100)]
    for name in names:
        sdists.publish(index, name, "1.0")
        index.fails(path.format(name), "hang", seconds=60)
    shop.service("app", *names)
    assert "does not answer within 1 s" in refused(shop, "--resolver", resolver)[0]
    # What was on its way when the first one failed has been asked for, and no more.
    assert sum(index.requests[path.format(name)] for name in names) < 100


def test_an_index_that_is_not_there(vendored: Workshop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    said, hint = vendored.vendor("--index-url", f"http://127.0.0.1:{port}/simple").error
    assert "refuses the connection" in said
    assert "INDEX_URL=" in hint


def test_a_fault_that_passes_is_not_seen(vendored: Workshop, index: LocalIndex) -> None:
    files.remove(files.cache_root())
    index.fails("/simple/wire/", "status", status=503, times=1)
    index.fails(WIRE, "truncate", times=1)
    assert vendored.vendor().status == 0
    assert vendored.keys() == ["wire==2.0"]


@pytest.mark.parametrize(
    ("how", "what"),
    [("corrupt", "has sha256"), ("truncate", "times in a row"), ("status", "answers 500 Internal Server Error")],
)
def test_a_file_that_does_not_come_right(vendored: Workshop, index: LocalIndex, how: str, what: str) -> None:
    # The engine reads what a wheel says, so the file itself is asked for by nobody before it is fetched.
    sdists.publish_wheel(index, "wire", "2.0")
    index.fails(WIRE, how)  # type: ignore[arg-type]
    said, hint = refused(vendored)
    assert what in said
    assert "wire-2.0.tar.gz" in said
    assert hint


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
@pytest.mark.parametrize("certain", [True, False])
@pytest.mark.parametrize(
    ("how", "status", "what", "advice"),
    [
        ("corrupt", 0, "is not the file that was promised", "do not use it"),
        ("longer", 0, "is not the file that was promised", "do not use it"),
        ("shorter", 0, "is not the file that was promised", "do not use it"),
        ("reset", 0, "breaks the connection", "try again later"),
        ("circle", 0, "redirects in a circle", "curl -IL"),
        ("status", 404, "answers 404 Not Found", "choose another version"),
        ("status", 403, "answers 403 Forbidden", "~/.netrc"),
        ("status", 503, "answers 503 Service Unavailable, 4 times in a row", "try again later"),
    ],
)
def test_a_fault_of_a_file_is_called_what_it_is(
    vendored: Workshop, index: LocalIndex, resolver: str, certain: bool, how: How, status: int, what: str, advice: str
) -> None:
    # Old metadata leaves the requirements to a build, so such a file is read as the versions are chosen.
    sdists.publish(index, "wire", "2.0", metadata=certain)
    index.fails(WIRE, how, status=status)
    said, hint = refused(vendored, "--resolver", resolver)
    assert what in said and WIRE in said
    assert advice in hint
    assert "vendor.txt" not in hint


@pytest.mark.parametrize(
    ("how", "what"), [("login", "answers with something that is not an index"), ("circle", "redirects in a circle")]
)
def test_a_fault_of_a_page_is_called_what_it_is(vendored: Workshop, index: LocalIndex, how: How, what: str) -> None:
    files.remove(files.cache_root())
    index.fails("/simple/wire/", how)
    said, hint = refused(vendored)
    assert said == f"{index.url}/wire/ {what}"
    assert hint


@pytest.mark.parametrize("digest", ["\ud800", "../../x", "0" * 63])
def test_the_hash_of_a_wheel_that_is_only_offered_is_one_too(
    vendored: Workshop, index: LocalIndex, digest: str
) -> None:
    # Nobody fetches it, and a lock with such a hash could not be read by any verb.
    tag = f"cp{HERE.replace('.', '')}"
    content = sdists.make_wheel("wire", "2.0")
    index.add(f"wire-2.0-{tag}-{tag}-manylinux_2_17_x86_64.whl", content, listed_sha256=digest)
    said, _ = refused(vendored)
    assert said == f"{index.url}/wire/ answers with something that is not an index"


def test_two_faults_before_the_file_are_not_seen_whatever_the_timeout(vendored: Workshop, index: LocalIndex) -> None:
    files.remove(files.cache_root())
    index.fails("/simple/wire/", "status", status=500, times=2)
    index.fails(WIRE, "status", status=500, times=2)
    assert vendored.vendor().status == 0


def test_a_file_of_another_distribution_under_the_name(vendored: Workshop, index: LocalIndex) -> None:
    entry = index.file("wire-2.0.tar.gz")
    assert entry
    digest = hashlib.sha256(entry.content).hexdigest()
    index.add("wire-2.0.tar.gz", sdists.make_sdist("evil", "1.0"), listed_sha256=digest)
    said, hint = refused(vendored)
    assert said.startswith("wire-2.0.tar.gz: ") and "is not the file that was promised" in said
    assert hint.startswith("do not use it")


def test_a_file_of_another_size_than_the_index_says(vendored: Workshop, index: LocalIndex) -> None:
    sdists.publish_wheel(index, "wire", "2.0")
    entry = index.file("wire-2.0.tar.gz")
    assert entry
    index.add("wire-2.0.tar.gz", entry.content + b"\0" * 100_000, listed_sha256=entry.listed_sha256)
    said, _ = refused(vendored)
    assert "has sha256" in said


def test_metadata_that_disagrees_with_the_name_of_the_file(vendored: Workshop, index: LocalIndex) -> None:
    sdists.publish_wheel(index, "wire", "2.0")
    index.add("wire-2.0.tar.gz", sdists.make_sdist("evil", "6.6"))
    said, hint = refused(vendored)
    assert said == (
        "wire-2.0.tar.gz: its metadata says evil 6.6, not wire 2.0; "
        "wire 2.0 is there for app/requirements.txt:1: wire==2.0"
    )
    assert "do not use it" in hint


def hostile(kind: str) -> bytes:
    """Return an sdist of wire 2.0 with one member that no honest archive has."""
    member = tarfile.TarInfo("wire-2.0/data")
    if kind == "absolute":
        member.name = "/etc/cron.d/wire"
    elif kind == "parent":
        member.name = "wire-2.0/../../wire"
    elif kind == "link":
        member.type, member.linkname = tarfile.SYMTYPE, "../../../../etc/passwd"
    elif kind == "device":
        member.type, member.devmajor, member.devminor = tarfile.BLKTYPE, 8, 0
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        archive.addfile(member)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["absolute", "parent", "link", "device"])
def test_a_hostile_archive(vendored: Workshop, index: LocalIndex, kind: str) -> None:
    sdists.publish_wheel(index, "wire", "2.0")
    index.add("wire-2.0.tar.gz", hostile(kind))
    said, hint = refused(vendored)
    assert "wire-2.0.tar.gz" in said
    assert hint


def test_a_damaged_lock_is_not_given_up_unasked(vendored: Workshop) -> None:
    path = vendored.root / "vendor" / "pylock.app.toml"
    path.write_text(path.read_text(encoding="utf-8")[:200], encoding="utf-8")
    said, hint = refused(vendored)
    assert "vendor/pylock.app.toml: not a TOML file" in said
    assert "remove it and run `make vendor`" in hint
    path.unlink()
    assert vendored.vendor().status == 0


def test_an_interpreter_too_many_is_no_obstacle_to_vendoring(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "thing", "1.0")
    shop.service("app", "thing").write({".python-version": f"{HERE}\n3.99\n"})
    assert shop.vendor().status == 0
