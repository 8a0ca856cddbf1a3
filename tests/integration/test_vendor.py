"""`make vendor` against the local index: what a user gets, and what changes when it is run again."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tomllib

import pytest
from packaging.pylock import Pylock

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from tests.integration.workshop import HERE, Workshop, finish
from toolkit.core import files, process
from toolkit.model.pins import Pinned

OTHER = "3.12" if HERE == "3.11" else "3.11"


@pytest.fixture
def shelf(index: LocalIndex) -> LocalIndex:
    """Return an index with `web`, which needs `wire`; `wire` is built by `maker`."""
    index.add("maker-1.0.tar.gz", sdists.make_backend("maker", "1.0"))
    sdists.publish(index, "web", "1.0", requires=["wire>=1", 'fast; extra == "quick"'])
    sdists.publish(index, "fast", "1.0")
    for version, month in (("1.0", "01"), ("1.1", "02")):
        content = sdists.make_sdist_with_backend("wire", version, "maker")
        index.add(f"wire-{version}.tar.gz", content, upload_time=f"2026-{month}-15T00:00:00Z")
    return index


def test_a_service_and_its_library(shop: Workshop, shelf: LocalIndex) -> None:
    sdists.publish(shelf, "http-client", "2.0")
    sdists.publish(shelf, "only-on-windows", "1.0")
    url = shelf.add("direct-3.0.tar.gz", sdists.make_sdist("direct", "3.0", requires=["helper"]), name="elsewhere")
    sdists.publish(shelf, "helper", "1.0")
    shop.service("app", "web[quick]  # comment", "lib[http]", "-r more.txt", "-c limits.txt")
    shop.package("lib")
    shop.write(
        {
            "app/more.txt": f"direct @ {url}\nonly-on-windows; \\\n  sys_platform == 'win32'\n",
            "app/limits.txt": "wire<1.1\n",
            "lib/requirements.txt": "",
            "lib/requirements-http.txt": "http-client\n",
        }
    )
    done = shop.vendor()
    assert done.status == 0, done.err
    assert shop.keys() == ["direct==3.0", "fast==1.0", "helper==1.0", "http-client==2.0", "web==1.0", "wire==1.0"]
    assert shop.build_keys() == ["maker==1.0"]
    assert [(item.name, item.path) for item in shop.lock().local] == [("lib", "lib"), ("app", "app")]
    assert "    + wire 1.0\n" in done.out
    assert done.out.splitlines()[-1].startswith("  VENDOR  app: 7 files")
    assert shelf.requests["/simple/lib/"] + shelf.requests["/simple/app/"] == 0
    assert shop.leftovers() == []


def test_the_lock_is_one_by_the_standard_and_complete(shop: Workshop, shelf: LocalIndex) -> None:
    shop.service("app", "web", build_requires=["maker"])
    assert shop.vendor().status == 0
    data = tomllib.loads((shop.root / "vendor" / "pylock.app.toml").read_text(encoding="utf-8"))
    standard = Pylock.from_dict(data)
    assert [str(marker) for marker in standard.environments or ()] == [
        f'python_version == "{HERE}" and sys_platform == "linux"'
    ]
    for package in standard.packages:
        assert package.sdist and package.sdist.path and package.sdist.url
        content = (shop.root / "vendor" / package.sdist.path).read_bytes()
        assert package.sdist.size == len(content)
    locked = shop.lock()
    wanted = {reference.key for item in locked.distributions() for reference in item.build_requires}
    wanted |= {reference.key for item in locked.local for reference in item.build_requires}
    assert wanted == {"maker==1.0"}
    assert all(locked.find(key) for key in wanted)
    assert set(shop.vendored()) == {"pylock.app.toml", "maker-1.0.tar.gz", "web-1.0.tar.gz", "wire-1.1.tar.gz"}


def test_pins_are_kept_until_they_are_upgraded(shop: Workshop, shelf: LocalIndex) -> None:
    shop.service("app", "web")
    assert shop.vendor("--exclude-newer", "2026-01-20").status == 0
    assert shop.keys() == ["web==1.0", "wire==1.0"]
    sdists.publish(shelf, "web", "2.0", requires=["wire"])
    shop.write({"app/requirements.txt": "web\nfast\n"})
    assert shop.vendor().status == 0
    assert shop.keys() == ["fast==1.0", "web==1.0", "wire==1.0"]
    done = shop.vendor("--upgrade", "wire")
    assert "    * wire 1.0 -> 1.1\n" in done.out
    assert shop.keys() == ["fast==1.0", "web==1.0", "wire==1.1"]
    assert shop.vendor("--upgrade", "all").status == 0
    assert shop.keys() == ["fast==1.0", "web==2.0", "wire==1.1"]


def test_an_upgrade_of_what_is_not_locked_is_refused(shop: Workshop, shelf: LocalIndex) -> None:
    shop.service("app", "web")
    assert shop.vendor().status == 0
    before = shop.vendored()
    what, hint = shop.vendor("--upgrade", "web webb").error
    assert what == "UPGRADE: nothing locked is called webb"
    assert "all" in hint
    assert shop.vendored() == before


@pytest.mark.parametrize(
    ("when", "expected"),
    [("2026-01-20", "1.0"), ("2026-01-20T00:00:00Z", ""), ("999999d", ""), ("999999999w", ""), ("1h", "1.1")],
)
def test_young_releases_are_left_out(shop: Workshop, shelf: LocalIndex, when: str, expected: str) -> None:
    shop.service("app", "wire")
    done = shop.vendor("--exclude-newer", when)
    if expected:
        assert shop.keys() == [f"wire=={expected}"]
    else:
        assert done.error[0] == f"EXCLUDE_NEWER={when}: neither a date nor an age"
        assert not (shop.root / "vendor").exists()


def test_each_interpreter_has_its_version(shop: Workshop, shelf: LocalIndex) -> None:
    old, new = sorted((HERE, OTHER))
    sdists.publish(shelf, "two", "1.0")
    sdists.publish(shelf, "two", "2.0", requires_python=f">={new}")
    shop.service("app", "two").write({".python-version": f"{old}\n{new}.1\n"})
    assert shop.vendor().status == 0
    assert shop.lock().pythons == (old, new)
    found = {item.version: item.marker for item in shop.lock().packages}
    assert found == {"1.0": f"python_version == '{old}'", "2.0": f"python_version == '{new}'"}


def test_two_services_share_the_files(shop: Workshop, shelf: LocalIndex) -> None:
    shop.service("app", "web").service("other_app", "wire", "fast")
    assert shop.vendor().status == 0
    assert (shop.keys(), shop.keys("other-app")) == (["web==1.0", "wire==1.1"], ["fast==1.0", "wire==1.1"])
    archives = {"fast-1.0.tar.gz", "maker-1.0.tar.gz", "web-1.0.tar.gz", "wire-1.1.tar.gz"}
    assert set(shop.vendored()) == {"pylock.app.toml", "pylock.other-app.toml", *archives}


def test_a_new_service_takes_the_versions_of_its_neighbour(shop: Workshop, shelf: LocalIndex) -> None:
    shop.service("app", "wire==1.0")
    assert shop.vendor().status == 0
    shop.service("newer", "wire")
    assert shop.vendor().status == 0
    assert (shop.keys(), shop.keys("newer")) == (["wire==1.0"], ["wire==1.0"])


def test_services_for_different_interpreters_need_not_agree(shop: Workshop, shelf: LocalIndex) -> None:
    tag = HERE.replace(".", "")
    sdists.publish_wheel(shelf, "binary", "1.0", tag=f"cp{tag}-cp{tag}-manylinux_2_17_x86_64")
    shop.service("app", "binary").service("other", "web")
    shop.write({"app/vendor.txt": "binary --platform manylinux_2_17_x86_64\n", "other/.python-version": OTHER})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert shop.lock("other").pythons == (OTHER,)


def test_a_project_of_libraries_alone(shop: Workshop, shelf: LocalIndex) -> None:
    shop.package("lib").write({"lib/requirements.txt": "fast\n", "lib/test-requirements.txt": "wire\n"})
    assert shop.vendor().status == 0
    assert shop.keys("lib") == ["fast==1.0"]
    assert shop.build_keys("lib") == ["maker==1.0", "wire==1.1"]
    assert shop.lock("lib").test_requires == (Pinned("wire", "1.1"),)


def test_what_developers_need_is_locked_beside_what_production_has(shop: Workshop, shelf: LocalIndex) -> None:
    sdists.publish(shelf, "tool", "1.0", requires=["fast<2"])
    shop.service("app", "fast").package("lib").write({"app/test-requirements.txt": "wire\n", "lib/lib.py": ""})
    shop.write({"app/dev-requirements.txt": "tool\n", "lib/requirements.txt": "web\n"})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert shop.keys() == ["fast==1.0"]
    assert shop.lock().test_requires == (Pinned("wire", "1.1"),)
    assert "tool==1.0" in shop.dev_keys()
    assert {"tool==1.0", "wire==1.1"} <= set(shop.build_keys())
    assert [item.name for item in shop.lock().local] == ["app"]
    shop.write({"app/dev-requirements.txt": ""})
    assert "dev-requirements.txt: changed since" in shop.build().error[0]


def test_a_tool_that_production_does_not_allow_is_refused(shop: Workshop, shelf: LocalIndex) -> None:
    sdists.publish(shelf, "tool", "1.0", requires=["fast>=2"])
    sdists.publish(shelf, "fast", "2.0")
    shop.service("app", "fast<2").write({"app/dev-requirements.txt": "tool\n"})
    what, _ = shop.vendor().error
    assert "tool" in what


def test_requirements_of_another_platform_are_locked_for_it(shop: Workshop, shelf: LocalIndex) -> None:
    shop.service("app", "fast").write({"app/darwin-requirements.txt": "wire\n"})
    assert shop.vendor().status == 0
    assert shop.keys() == ["fast==1.0"]
    assert shop.vendor("--platforms", "linux darwin").status == 0
    assert shop.keys() == ["fast==1.0", "wire==1.1"]
    assert shop.lock().packages[1].marker == "sys_platform == 'darwin'"


def test_a_local_name_is_never_asked_for(shop: Workshop, shelf: LocalIndex) -> None:
    sdists.publish(shelf, "lib", "9.0")
    sdists.publish(shelf, "plugin", "1.0", requires=["lib>=0.5"])
    shop.service("app", "plugin", "lib").package("lib")
    done = shop.vendor()
    assert done.status == 0, done.err
    assert shop.keys() == ["plugin==1.0"]
    assert shelf.requests["/simple/lib/"] + shelf.requests["/files/lib-9.0.tar.gz"] == 0


@pytest.mark.parametrize(
    ("marker", "used"),
    [("sys_platform == 'win32'", False), (f"python_version < '{HERE}'", False), ("sys_platform == 'linux'", True)],
)
def test_a_marker_on_a_local_requirement(shop: Workshop, shelf: LocalIndex, marker: str, used: bool) -> None:
    shop.service("app", f"lib; {marker}").package("lib").write({"lib/requirements.txt": "fast\n"})
    assert shop.vendor().status == 0
    assert [item.name for item in shop.lock().local] == (["lib", "app"] if used else ["app"])
    assert shop.keys() == (["fast==1.0"] if used else [])


def test_an_unchanged_run_asks_nobody(shop: Workshop, shelf: LocalIndex) -> None:
    shop.service("app", "web")
    assert shop.vendor().status == 0
    shelf.requests.clear()
    before = shop.vendored()
    files.remove(files.cache_root())
    done = shop.vendor()
    assert done.out == "  VENDOR  vendor/ is up to date\n"
    assert shelf.requests.total() == 0
    assert not files.cache_root().exists()
    assert shop.vendored() == before


def test_a_dry_run_tells_and_changes_nothing(shop: Workshop, shelf: LocalIndex) -> None:
    shop.service("app", "web")
    done = shop.vendor("--dry-run")
    assert "    + wire 1.1\n" in done.out
    assert done.out.splitlines()[-1].startswith("  WOULD   app: 3 files")
    assert not (shop.root / "vendor").exists()
    assert shop.leftovers() == []


def test_what_the_repository_of_vendor_holds_survives(shop: Workshop, shelf: LocalIndex) -> None:
    shop.service("app", "fast").write({"vendor/README.md": "ours\n", "vendor/.git": "gitdir: ../.git/modules/vendor\n"})
    assert shop.vendor().status == 0
    assert set(shop.vendored()) == {"README.md", ".git", "pylock.app.toml", "fast-1.0.tar.gz"}
    (shop.root / "vendor" / ".git").unlink()
    shop.write({"vendor/.git/HEAD": "ref: refs/heads/main\n", "vendor/.gitattributes": "* -text\n"})
    shop.write({"app/requirements.txt": "wire\n"})
    assert shop.vendor().status == 0
    assert set(shop.vendored()) == {
        "README.md",
        ".git/HEAD",
        ".gitattributes",
        "pylock.app.toml",
        "wire-1.1.tar.gz",
        "maker-1.0.tar.gz",
    }


def test_the_script_itself(shop: Workshop, shelf: LocalIndex) -> None:
    shop.service("app", "web")
    done = finish(shop.start("vendor"))
    assert done.status == 0, done.err
    assert shop.keys() == ["web==1.0", "wire==1.1"]


def test_what_a_pyproject_declares_is_locked_and_has_to_agree_with_a_requirements_txt(
    shop: Workshop, shelf: LocalIndex
) -> None:
    shop.service("app", "web")
    (shop.root / "app" / "requirements.txt").unlink()
    text = (shop.root / "app" / "pyproject.toml").read_text(encoding="utf-8")
    shop.write({"app/pyproject.toml": text.replace("[project]\n", "[project]\ndependencies = ['wire<1.1']\n")})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert shop.keys() == ["wire==1.0"]
    shop.write({"app/requirements.txt": ""})
    done = shop.vendor()
    assert done.status == 1
    assert "error: app/pyproject.toml:9: `wire<1.1` is declared, but" in done.err
    shop.write({"app/requirements.txt": "wire>=1.1\n"})
    done = shop.vendor()
    assert done.status == 1
    assert "app/pyproject.toml:" in done.err
    assert "app/requirements.txt:1" in done.err
    shop.write({"app/requirements.txt": "web\n"})
    assert shop.vendor().status == 0
    assert shop.keys() == ["web==1.0", "wire==1.0"]


def test_the_value_of_a_variable_in_a_requirement_counts(
    shop: Workshop, shelf: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("3.6", "3.7"):
        sdists.publish(shelf, "idna", version)
    shop.service("app", "idna==${V_IDNA}  # of the platform")
    monkeypatch.setenv("V_IDNA", "3.6")
    assert shop.vendor().status == 0
    assert shop.vendor().out == "  VENDOR  vendor/ is up to date\n"
    monkeypatch.setenv("V_IDNA", "3.7")
    told = "the variable V_IDNA, which requirements name: changed since vendor/pylock.app.toml was made"
    assert shop.run("build").error[0] == shop.run("check-vendor").error[0] == told
    assert shop.vendor().status == 0
    assert shop.keys() == ["idna==3.7"]
    monkeypatch.delenv("V_IDNA")
    assert shop.vendor().error[0].startswith("app/requirements.txt:1: not a requirement: `idna==${V_IDNA}`")
    told = "the variable V_IDNA is not set, but was when vendor/pylock.app.toml was made"
    assert shop.run("check-vendor").error[0] == told
    # What is locked can be built where nobody has set it: in a clean chroot.
    assert shop.build().status == 0


def test_variables_count_in_the_files_beside_the_requirements(
    shop: Workshop, shelf: LocalIndex, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUR_TOKEN", "geheim")
    monkeypatch.setenv("V_IDNA", "3.6")
    for version in ("3.6", "3.7"):
        sdists.publish_wheel(index, "idna", version)
    sdists.publish(shelf, "six", "1.0")
    sdists.publish(shelf, "helper", "1.0")
    url = index.add("lib-1.0.tar.gz", sdists.make_sdist("lib", "1.0"), name="elsewhere")
    address = url.replace("://", "://me:${OUR_TOKEN}@")
    shop.service("app", "idna", "six").write(
        {"app/vendor.txt": f"idna==${{V_IDNA}}\n{address}\n", "build-requirements.txt": "six: helper<${V_IDNA}\n"}
    )
    done = shop.vendor()
    assert done.status == 0, done.err
    assert {"idna==3.6", "lib==1.0"} <= set(shop.keys())
    assert "geheim" not in (shop.root / "vendor" / "pylock.app.toml").read_text() + done.out + done.err
    assert [name for name in shop.lock().inputs if "${" in name] == ["setting:${V_IDNA}"]
    monkeypatch.setenv("V_IDNA", "3.7")
    assert shop.run("check-vendor").error[0].startswith("the variable V_IDNA, which requirements name: changed")
    assert shop.vendor().status == 0
    assert {"idna==3.7"} <= set(shop.keys())
    for name in ("V_IDNA", "OUR_TOKEN"):
        monkeypatch.delenv(name)
    assert shop.build().status == 0


def test_credentials_in_variables_are_everybodys_own_and_in_no_lock(
    shop: Workshop, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = index.add("lib-1.0.tar.gz", sdists.make_sdist("lib", "1.0"), name="elsewhere")
    shop.service("app", f"lib @ {url.replace('://', '://me:${WHO}@')}?key=${{WHAT}}", "lib!=${OUR_TOKEN}")
    for value in ("1.5", "1.6"):
        for name in ("WHO", "WHAT", "OUR_TOKEN"):
            monkeypatch.setenv(name, value)
        done = shop.vendor()
        assert done.status == 0, done.err
    assert done.out == "  VENDOR  vendor/ is up to date\n"
    assert not [name for name in shop.lock().inputs if "${" in name]


@pytest.mark.parametrize("ending", [".tar.xz", ".tar.bz2", ".tgz", ".zip"])
@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_archives_of_every_kind_are_taken_from_urls_and_indexes(
    shop: Workshop, index: LocalIndex, ending: str, resolver: str
) -> None:
    content = sdists.make_sdist("thing", "1.0", metadata=False, requires=["dep"])
    tar = gzip.decompress(content)
    packed = {
        ".tar.xz": lzma.compress(tar),
        ".tar.bz2": bz2.compress(tar),
        ".tgz": gzip.compress(tar),
        ".zip": sdists.as_zip(content),
    }[ending]
    sdists.publish(index, "dep", "1.0")
    index.add(f"thing-1.0{ending}", packed)
    url = index.add(f"other-1.0{ending}", packed, name="elsewhere")
    for requirement in ("thing==1.0", f"thing @ {url}"):
        done = shop.service("app", requirement).vendor("--resolver", resolver)
        assert done.status == 0, done.err
        assert shop.keys() == ["dep==1.0", "thing==1.0"]
    assert shop.build().status == 0


def test_an_upgrade_takes_what_a_url_has_now(shop: Workshop, index: LocalIndex) -> None:
    url = index.add("thing-1.0.tar.gz", sdists.make_sdist("thing", "1.0"), name="elsewhere")
    assert shop.service("app", f"thing @ {url}").vendor().status == 0
    changed = sdists.make_sdist("thing", "1.0", modules={"other": ""})
    index.add("thing-1.0.tar.gz", changed, name="elsewhere")
    done = shop.vendor("--upgrade", "thing")
    assert done.status == 0 and "* thing 1.0, with other files" in done.out
    assert shop.vendored()["thing-1.0.tar.gz"] == changed


def test_debian_packages_that_builds_need_are_told_and_written_on_request(shop: Workshop, shelf: LocalIndex) -> None:
    setup = "from setuptools import Extension, setup\nsetup(ext_modules=[Extension('_net', ['net.c'])])\n"
    sdists.publish(shelf, "net", "1.0", files={"setup.py": setup, "net.c": "#include <sodium.h>\n#include <lz4.h>\n"})
    control = "Source: s\n# kept\nBuild-Depends: debhelper-compat (= 13),\n liblz4-dev,\n"
    shop.service("app", "net").write({"debian/control": control})
    told = shop.run("vendor")
    assert told.status == 0
    assert "debian/control:1: Build-Depends lacks libsodium-dev (net 1.0)" in told.err
    assert "Build-Depends: debhelper-compat (= 13), liblz4-dev, libsodium-dev" in told.err
    assert shop.lock().find("net==1.0").system_files == ("lz4.h", "sodium.h")
    # Also where there is nothing to vendor; then it is done, and said no more.
    assert "libsodium-dev (net 1.0)" in shop.run("vendor").err
    assert "debian/control: Build-Depends: libsodium-dev" in shop.run("vendor", "--apt").out
    assert (shop.root / "debian/control").read_text() == f"{control} libsodium-dev,\n"
    assert "Build-Depends" not in shop.run("vendor").err


def test_a_vendor_directory_of_somebody_else_is_not_replaced(shop: Workshop, shelf: LocalIndex) -> None:
    """Go, composer and bundler keep theirs under the same name."""
    shop.service("app", "fast").write({"vendor/github.com/x/y.go": "package y\n"})
    done = shop.vendor()
    assert done.status == 1
    assert "vendor/: the project's own, with github.com" in done.err
    assert set(shop.vendored()) == {"github.com/x/y.go"}


def test_a_vendor_repository_of_before_there_were_locks_is_filled(shop: Workshop, shelf: LocalIndex) -> None:
    shop.service("app", "fast").write({"vendor/fast-0.1.tar.gz": "old\n"})
    process.run(["git", "init", "--quiet", shop.root / "vendor"])
    assert shop.vendor().status == 0
    assert "pylock.app.toml" in shop.vendored()
    assert "fast-0.1.tar.gz" not in shop.vendored()
