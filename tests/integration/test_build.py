"""`make build`: wheels from vendor/, each in its own environment, none of them built twice."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration import installed, sdists
from tests.integration.local_index import LocalIndex, serving
from tests.integration.workshop import HERE, Workshop, is_there
from toolkit.build import interpreters, system_headers, uncompiled
from toolkit.core import files, process
from toolkit.wheel import environment

#: A backend that writes down the flags a build sees, and which wheels it has been given.
_WITNESS = """
import os, pathlib, sys, tiny_backend
get_requires_for_build_wheel = tiny_backend.get_requires_for_build_wheel
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    found = [p.name for entry in sys.path for p in pathlib.Path(entry).glob("*.dist-info")]
    seen = {"flags": os.environ.get("CFLAGS", ""), "beside": sorted(found), "settings": config_settings}
    tiny_backend.SETTINGS["modules"]["seen_by_" + tiny_backend.SETTINGS["name"]] = f"SEEN = {seen!r}"
    return tiny_backend.build_wheel(wheel_directory)
"""


def add_witness(index: LocalIndex, name: str, *requires: str) -> None:
    system = f'[build-system]\nrequires = {list(requires)!r}\nbuild-backend = "witness"\nbackend-path = ["."]\n'
    sdists.publish(index, name, "1.0", files={"witness.py": _WITNESS, "pyproject.toml": system})


def built(shop: Workshop, *options: str, store: Path | None = None) -> dict[str, Path]:
    """Build, and return all wheels of the store by their distribution's name."""
    done = shop.build(*options)
    assert done.status == 0, done.err
    found = (store or files.cache_root() / "store").rglob("*.whl")
    return {path.name.split("-")[0].replace("_", "-"): path for path in found}


def member(wheel: Path, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name).decode()


def seen(wheel: Path) -> dict[str, object]:
    namespace: dict[str, dict[str, object]] = {}
    exec(member(wheel, f"seen_by_{wheel.name.split('-')[0]}.py"), namespace)
    return namespace["SEEN"]


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    """Return another project, with an index of its own that must not be needed."""
    with serving() as index:
        yield Workshop(tmp_path / "other", index).write({".python-version": f"{HERE}\n"})


def test_wheels_in_the_order_in_which_they_build_each_other(shop: Workshop, index: LocalIndex) -> None:
    index.add("maker-1.0.tar.gz", sdists.make_sdist_with_backend("maker", "1.0", "forge", modules={"maker": _maker()}))
    index.add("forge-1.0.tar.gz", sdists.make_backend("forge", "1.0"))
    index.add("thing-1.0.tar.gz", sdists.make_sdist_with_backend("thing", "1.0", "maker"))
    shop.service("app", "thing", build_requires=["maker"], needs_at_build=["maker"])
    assert shop.vendor().status == 0
    index.requests.clear()
    # A store of its own: `make vendor` has built what its hooks asked for.
    done = shop.build("--jobs", "1", "--wheel-store", str(shop.root / "store"))
    assert done.status == 0, done.err
    order = [line.split()[1] for line in done.out.splitlines() if line.startswith("  BUILD ")]
    assert sorted(order) == ["app", "forge", "maker", "thing"]
    assert order[:2] == ["forge", "maker"]
    assert done.out.splitlines()[-1].startswith("  BUILT   2 wheels for app in ")
    assert index.requests.total() == 0
    assert shop.leftovers() == []


def _maker() -> str:
    return Path(sdists.__file__).with_name("backend.py").read_text(encoding="utf-8")


def test_an_environment_has_what_is_locked_and_nothing_else(shop: Workshop, index: LocalIndex) -> None:
    for name in ("tool", "other"):
        sdists.publish(index, name, "1.0")
    add_witness(index, "thing", "tool")
    shop.service("app", "thing", "other")
    assert shop.vendor().status == 0
    assert seen(built(shop)["thing"])["beside"] == ["tool-1.0.dist-info"]


def test_a_module_that_is_not_locked_cannot_be_imported(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "other", "1.0")
    sdists.publish(index, "thing", "1.0", needs_at_build=["other"])
    shop.service("app", "thing", "other")
    assert shop.vendor().status == 0
    done = shop.build()
    assert done.error[0] == "thing 1.0: its wheel could not be built"
    assert "No module named 'other'" in done.err


def test_what_is_not_shipped_is_built_without_optimisation(shop: Workshop, index: LocalIndex) -> None:
    add_witness(index, "tool")
    add_witness(index, "cython")
    add_witness(index, "thing", "tool", "cython")
    shop.service("app", "thing")
    assert shop.vendor().status == 0
    wheels = built(shop)
    flags = {name: str(seen(wheels[name])["flags"]) for name in ("tool", "cython", "thing")}
    assert flags["tool"].startswith("-O0 ")
    assert "-O0" not in flags["thing"]
    expected = process.read(["dpkg-buildflags", "--get", "CFLAGS"], cwd="/") if shutil.which("dpkg-buildflags") else ""
    assert all(flag in flags["thing"] for flag in expected.split() if not flag.startswith("-ffile-prefix-map"))
    assert seen(wheels["cython"])["settings"] == {"--build-option": ["--no-cython-compile"]}
    assert seen(wheels["tool"])["settings"] is seen(wheels["thing"])["settings"] is None


def test_nothing_is_built_twice(shop: Workshop, index: LocalIndex, other: Workshop) -> None:
    sdists.publish(index, "thing", "1.0")
    shop.service("app", "thing").service("twin", "thing")
    assert shop.vendor().status == 0
    first = shop.build()
    assert sorted(line.split()[1] for line in first.out.splitlines() if " BUILD " in line) == ["app", "thing", "twin"]
    assert " BUILD " not in shop.build().out
    other.service("app", "thing")
    assert other.vendor("--index-url", index.url).status == 0
    # Its service is the same to the byte, so that is found too.
    assert " BUILD " not in other.build().out


def test_a_change_of_a_local_package_builds_that_alone(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "thing", "1.0")
    shop.service("app", "thing")
    assert shop.vendor().status == 0
    built(shop)
    shop.write({"app/README": "new\n"})
    assert [line.split()[1:] for line in shop.build().out.splitlines() if " BUILD " in line] == [["app"]]


@pytest.mark.parametrize("damage", ["wheel", "entry", "gone"])
def test_a_damaged_entry_of_the_store_is_built_again(shop: Workshop, index: LocalIndex, damage: str) -> None:
    sdists.publish(index, "thing", "1.0")
    shop.service("app", "thing")
    assert shop.vendor().status == 0
    wheel = built(shop)["thing"]
    content = wheel.read_bytes()
    if damage == "wheel":
        wheel.write_bytes(content[:-1])
    elif damage == "entry":
        (wheel.parent / "entry.json").write_text("{", encoding="utf-8")
    else:
        wheel.unlink()
    done = shop.build()
    assert [line.split()[1] for line in done.out.splitlines() if " BUILD " in line] == ["thing"]
    assert ("damaged entry" in done.err) == (damage != "gone")
    assert wheel.read_bytes() == content


def test_without_a_wheel_store_wheels_stay_in_the_project(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "thing", "1.0")
    shop.service("app", "thing")
    assert shop.vendor().status == 0
    assert set(built(shop, "--wheel-store", "", store=shop.root / "build")) == {"app", "thing"}
    assert not (files.cache_root() / "store").exists()


def test_the_number_of_jobs_does_not_matter(shop: Workshop, index: LocalIndex, tmp_path: Path) -> None:
    index.add("maker-1.0.tar.gz", sdists.make_backend("maker", "1.0"))
    for name in ("one", "two", "three"):
        index.add(f"{name}-1.0.tar.gz", sdists.make_sdist_with_backend(name, "1.0", "maker", c_extension=name == "two"))
    shop.service("app", "one", "two", "three")
    assert shop.vendor().status == 0
    stores = {jobs: tmp_path / f"store{jobs}" for jobs in ("1", "3")}
    wheels = [built(shop, "--jobs", jobs, "--wheel-store", str(store), store=store) for jobs, store in stores.items()]
    first, second = ({name: files.sha256(path) for name, path in found.items()} for found in wheels)
    assert first == second


def test_a_c_extension_works_where_it_is_installed(shop: Workshop, index: LocalIndex, tmp_path: Path) -> None:
    sdists.publish(index, "thing", "1.0", c_extension=True)
    shop.service("app", "thing")
    assert shop.vendor().status == 0
    wheel = built(shop)["thing"]
    python = environment.create(tmp_path / "installed", interpreters.find((HERE,)), [wheel])
    assert process.read([python, "-c", "import _thing; print(_thing.answer())"]) == "42\n"


def test_a_path_may_have_spaces_where_builds_see_it(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "thing", "1.0", c_extension=True)
    shop = replace(shop, root=shop.root.with_name("a project of ours")).service("app", "thing")
    assert shop.vendor().status == 0
    assert "_thing" in str(zipfile.ZipFile(built(shop, "--sandbox", "off")["thing"]).namelist())


@pytest.mark.parametrize("name", ["a project of ours", "it's-ours", "проект"])
def test_a_build_that_splits_flags_at_blanks_has_none_in_them(shop: Workshop, index: LocalIndex, name: str) -> None:
    backend = Path(sdists.__file__).with_name("backend.py").read_text()
    careless = backend.replace('shlex.split(os.environ.get("CFLAGS", ""))', 'os.environ.get("CFLAGS", "").split()')
    assert careless != backend
    sdists.publish(index, "thing", "1.0", c_extension=True, files={"tiny_backend.py": careless})
    shop = replace(shop, root=shop.root.with_name(name)).service("app", "thing")
    assert shop.vendor().status == 0
    assert "_thing" in str(zipfile.ZipFile(built(shop, "--sandbox", "off")["thing"]).namelist())
    assert shop.leftovers() == []


@pytest.mark.parametrize("backend", ["setuptools", "legacy", "flit", "hatchling", "poetry-core", "pdm-backend"])
def test_every_backend(shop: Workshop, index: LocalIndex, tmp_path: Path, backend: str) -> None:
    names = installed.publish(index, {"flit": "flit-core", "legacy": "setuptools"}.get(backend, backend))
    native = backend in ("setuptools", "legacy")
    sdists.publish(index, "thing", "1.0", backend=backend, c_extension=native)
    shop.service("app", "thing").write({"app/vendor.txt": "\n".join(names)})
    done = shop.vendor()
    assert done.status == 0, done.err
    python = environment.create(tmp_path / "installed", interpreters.find((HERE,)), [built(shop)["thing"]])
    answer = "_thing.answer()" if native else "42"
    code = f"import thing{', _thing' if native else ''}; print(thing.VERSION, {answer})"
    assert process.read([python, "-c", code]) == "1.0 42\n"


def test_each_service_has_its_interpreter(shop: Workshop, index: LocalIndex) -> None:
    available = [version for version in ("3.11", "3.12", "3.13") if version != HERE and is_there(version)]
    if not available:
        pytest.skip("one interpreter only")
    sdists.publish(index, "thing", "1.0", c_extension=True)
    shop.service("app", "thing").service("newer", "thing").write({"newer/.python-version": f"{available[0]}\n"})
    assert shop.vendor().status == 0
    assert shop.build().status == 0
    names = {path.name for path in (files.cache_root() / "store").rglob("thing-*.whl")}
    tags = {f"cp{version.replace('.', '')}" for version in (HERE, available[0])}
    assert {name.split("-")[2] for name in names} == tags


def test_a_build_sees_nothing_of_the_user(shop: Workshop, index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nonexistent")
    monkeypatch.setenv("SECRET_TOKEN", "x")
    needed = "import os\nassert not {'PYTHONPATH', 'SECRET_TOKEN'} & os.environ.keys()\n"
    sdists.publish(index, "tool", "1.0", modules={"tool": needed})
    sdists.publish(index, "thing", "1.0", build_requires=["tool"], needs_at_build=["tool"])
    shop.service("app", "thing")
    assert shop.vendor().status == 0
    assert "thing" in built(shop)


#: A backend that does without its extension where that does not compile, and looks first whether a compiler works.
_OPTIONAL = """
import pathlib, subprocess, tempfile, tiny_backend
get_requires_for_build_wheel = tiny_backend.get_requires_for_build_wheel
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with tempfile.TemporaryDirectory() as scratch:
        pathlib.Path(scratch, "probe.c").write_text("int x = ;")
        subprocess.run(["gcc", "-c", scratch + "/probe.c", "-o", "/dev/null"])
    done = subprocess.run(["gcc", "-c", "fast/_speedups.c", "-o", "/dev/null"])
    tiny_backend.SETTINGS["modules"]["fast_is"] = f"FAST = {done.returncode == 0}"
    return tiny_backend.build_wheel(wheel_directory)
"""


def test_an_extension_that_did_not_compile_is_told_until_it_does(
    shop: Workshop, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = '[build-system]\nrequires = []\nbuild-backend = "optional"\nbackend-path = ["."]\n'
    source = {"fast/_speedups.c": "#include <yaml.h>\n#include <gone/for_good.h>\nint x;\n"}
    sdists.publish(index, "fast", "1.0", files={"optional.py": _OPTIONAL, "pyproject.toml": system, **source})
    shop.service("app", "fast")
    assert shop.vendor().status == 0
    text = "fast 1.0: its wheel lacks what did not compile: fast/_speedups.c"
    for _ in range(2):
        done = shop.build()
        assert done.status == 0, done.err
        assert f"warning: {text}\n" in done.err
    assert "BUILD " not in done.out
    assert shop.build("--extensions", "required").error[0] == text
    # Something else is installed.
    monkeypatch.setattr(uncompiled, "_installed", lambda: "other")
    assert "BUILD   fast 1.0" in shop.build().out
    done = shop.run("build", "--extensions", "one, two")
    assert done.error == (
        "EXTENSIONS=one, two: one, is no name of a distribution",
        "write optional, required, or names with blanks between",
    )


def test_what_compiled_is_built_again_with_other_headers(
    shop: Workshop, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = '[build-system]\nrequires = []\nbuild-backend = "optional"\nbackend-path = ["."]\n'
    source = {"fast/_speedups.c": "#include <zlib.h>\nint x;\n"}
    sdists.publish(index, "fast", "1.0", files={"optional.py": _OPTIONAL, "pyproject.toml": system, **source})
    shop.service("app", "fast")
    assert shop.vendor().status == 0
    assert "BUILD   fast 1.0" in shop.build().out
    assert "BUILD " not in shop.build().out
    found = system_headers.now(["zlib.h"])
    monkeypatch.setattr(system_headers, "now", lambda names: {name: f"{found[name]} later" for name in names})
    assert "BUILD   fast 1.0" in shop.build().out
    assert "BUILD " not in shop.build().out


def test_where_extensions_are_required_all_that_is_missing_is_told_at_once(
    shop: Workshop, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = '[build-system]\nrequires = []\nbuild-backend = "optional"\nbackend-path = ["."]\n'
    for name in ("fast", "quick"):
        source = {"fast/_speedups.c": "#include <gone/for_good.h>\n", "pyproject.toml": system}
        sdists.publish(index, name, "1.0", files={"optional.py": _OPTIONAL, **source})
    shop.service("app", "fast\nquick\n")
    assert shop.vendor().status == 0
    for _ in range(2):
        done = shop.build("--extensions", "required")
        assert done.status == 1
        for name in ("fast", "quick"):
            assert f"error: {name} 1.0: its wheel lacks what did not compile: fast/_speedups.c\n" in done.err
            assert f"name what may lack it: EXTENSIONS={name}\n" in done.err
    done = shop.build("--extensions", "Quick")
    assert done.error[0] == "fast 1.0: its wheel lacks what did not compile: fast/_speedups.c"
    assert "warning: quick 1.0: " in done.err
    assert shop.build("--extensions", "quick fast").status == 0


def test_one_service_of_several_is_tested_and_linted_by_its_name(shop: Workshop) -> None:
    case = "import unittest\n\nclass Case(unittest.TestCase):\n    def test_it(self):\n        self.assertTrue({})\n"
    shop.service("app").service("other_one").write(
        {
            "app/tests/test_it.py": case.format(True),
            "other_one/tests/test_it.py": case.format(False),
            "other_one/broken.py": "def (:\n",
        }
    )
    assert shop.vendor().status == 0
    for verb in ("test", "lint"):
        assert shop.run(verb, "--service", "app").status == 0
        assert shop.run(verb).status == 1
        for spelling in ("other-one", "other_one", "other_one/"):
            what, _ = shop.run(verb, "--service", spelling).error
            assert "other-one" in what or "other_one" in what
        assert shop.run(verb, "--service", "nothing").error == (
            "SERVICE=nothing: there is no such package",
            "there are app, other-one",
        )
    what, hint = shop.run("test", "--services", "app").error
    assert what == "vendor/pylock.other-one.toml: no service of this project has this lock"
    assert "SERVICE=" in hint
