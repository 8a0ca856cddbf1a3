"""`make vendor` and what builds the sdists: several versions of a backend, requirements that only a hook tells."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from tests.integration.workshop import Done, Workshop, is_there
from toolkit.core import files
from toolkit.engines.engine import Request
from toolkit.engines.uv import Uv
from toolkit.model import debian_names
from toolkit.model.pins import Pinned
from toolkit.sandbox import confined
from toolkit.sandbox.confined import Means

HOOK_IN_TREE = '[build-system]\nrequires = []\nbuild-backend = "hook"\nbackend-path = ["."]\n'


def add_backend(index: LocalIndex, version: str, **options: object) -> None:
    index.add(f"maker-{version}.tar.gz", sdists.make_backend("maker", version, **options))


def add_made(index: LocalIndex, name: str, specifier: str = "", **options: object) -> None:
    index.add(f"{name}-1.0.tar.gz", sdists.make_sdist_with_backend(name, "1.0", "maker", specifier, **options))


def builders(shop: Workshop, name: str) -> tuple[str, ...]:
    return tuple(map(str, shop.lock().find(f"{name}==1.0").build_requires))


def test_one_old_pin_does_not_spread(shop: Workshop, index: LocalIndex) -> None:
    for version in ("1.0", "2.0"):
        add_backend(index, version)
        sdists.publish(index, "kit", version)
    add_made(index, "strict", "==1.0")
    add_made(index, "easy")
    # One that holds another back by way of what it requires.
    sdists.publish(index, "plugin", "1.0", requires=["kit<2"])
    sdists.publish(index, "indirect", "1.0", build_requires=["plugin"])
    sdists.publish(index, "plain", "1.0", build_requires=["kit"])
    shop.service("app", "strict", "easy", "indirect", "plain")
    assert shop.vendor().status == 0
    assert (builders(shop, "strict"), builders(shop, "easy")) == (("maker==1.0",), ("maker==2.0",))
    assert (builders(shop, "indirect"), builders(shop, "plain")) == (("kit==1.0", "plugin==1.0"), ("kit==2.0",))


def test_what_a_service_runs_with_holds_no_build_back(shop: Workshop, index: LocalIndex) -> None:
    for version in ("1.0", "2.0"):
        add_backend(index, version)
    add_made(index, "easy")
    shop.service("app", "maker==1.0", "easy")
    assert shop.vendor().status == 0
    assert shop.keys() == ["easy==1.0", "maker==1.0"]
    assert builders(shop, "easy") == ("maker==2.0",)


def test_each_build_keeps_what_it_was_locked_with(shop: Workshop, index: LocalIndex) -> None:
    add_backend(index, "1.0")
    add_made(index, "first")
    add_made(index, "strict", "<2")
    shop.service("app", "first")
    assert shop.vendor().status == 0
    add_backend(index, "2.0")
    # What is new shares the version that is locked, as nothing held that back.
    add_made(index, "second")
    shop.service("app", "first", "second")
    assert shop.vendor().status == 0
    assert builders(shop, "first") == builders(shop, "second") == ("maker==1.0",)
    add_made(index, "third", ">=2")
    shop.service("app", "first", "second", "third")
    assert shop.vendor().status == 0
    assert [builders(shop, name) for name in ("first", "third")] == [("maker==1.0",), ("maker==2.0",)]
    assert shop.vendor("--upgrade", "maker").status == 0
    assert [builders(shop, name) for name in ("first", "second", "third")] == [("maker==2.0",)] * 3


def test_what_is_new_does_not_share_a_version_that_another_build_is_held_to(shop: Workshop, index: LocalIndex) -> None:
    for version in ("1.0", "2.0"):
        add_backend(index, version)
    add_made(index, "strict", "<2")
    shop.service("app", "strict")
    assert shop.vendor().status == 0
    add_made(index, "easy")
    shop.service("app", "strict", "easy")
    assert shop.vendor().status == 0
    assert [builders(shop, name) for name in ("strict", "easy")] == [("maker==1.0",), ("maker==2.0",)]


def test_sets_that_share_what_they_choose_are_resolved_at_once(
    shop: Workshop, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("1.0", "2.0"):
        add_backend(index, version)
    for number in range(4):
        sdists.publish(index, f"tool{number}", "1.0")
        sdists.publish(index, f"thing{number}", "1.0", build_requires=["maker", f"tool{number}"])
    add_made(index, "strict", "<2")
    asked: list[tuple[str, ...]] = []
    choose = Uv.choose

    def counted(engine: Uv, request: Request, index_url: str) -> tuple[Pinned, ...]:
        asked.append(request.requirements)
        return choose(engine, request, index_url)

    monkeypatch.setattr(Uv, "choose", counted)
    shop.service("app", "strict", *(f"thing{number}" for number in range(4)))
    assert shop.vendor().status == 0
    assert builders(shop, "thing3") == ("maker==2.0", "tool3==1.0")
    # What runs; all sets; those that one bound held back.
    assert len(asked) == 3


def test_two_versions_of_a_backend_where_sdists_disagree(shop: Workshop, index: LocalIndex) -> None:
    for version in ("1.0", "2.0"):
        add_backend(index, version)
    add_made(index, "old", "<2")
    add_made(index, "new", ">=2")
    shop.service("app", "old", "new")
    assert shop.vendor().status == 0
    assert (builders(shop, "old"), builders(shop, "new")) == (("maker==1.0",), ("maker==2.0",))
    assert shop.build_keys() == ["maker==1.0", "maker==2.0"]
    before = shop.vendored()
    shop.write({"app/requirements.txt": "old\nnew\n# as before\n"})
    assert shop.vendor("--upgrade", "old").status == 0
    assert shop.vendored() == before


def test_a_backend_of_a_backend_and_its_requirements(shop: Workshop, index: LocalIndex) -> None:
    add_backend(index, "1.0", requires=["kit"])
    index.add("kit-1.0.tar.gz", sdists.make_sdist_with_backend("kit", "1.0", "forge"))
    index.add("forge-1.0.tar.gz", sdists.make_backend("forge", "1.0"))
    add_made(index, "thing")
    shop.service("app", "thing")
    assert shop.vendor().status == 0
    assert builders(shop, "thing") == ("kit==1.0", "maker==1.0")
    assert builders(shop, "kit") == ("forge==1.0",)
    assert shop.build_keys() == ["forge==1.0", "kit==1.0", "maker==1.0"]


def test_what_only_a_hook_tells(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "late", "1.0", requires=["later"])
    sdists.publish(index, "later", "1.0")
    sdists.publish(index, "thing", "1.0", dynamic=["late"])
    shop.service("app", "thing", dynamic=["later>=1"])
    assert shop.vendor().status == 0
    assert builders(shop, "thing") == ("late==1.0", "later==1.0")
    assert {item.name: item.build_requires for item in shop.lock().local} == {"app": (Pinned("later", "1.0"),)}


def test_a_hook_runs_beside_what_its_tree_names(shop: Workshop, index: LocalIndex) -> None:
    add_backend(index, "1.0")
    sdists.publish(index, "late", "1.0")
    hook = "from maker_plugin import WANTED\nfrom tiny_backend import *\n"
    hook += "def get_requires_for_build_wheel(config_settings=None): return [WANTED]\n"
    system = '[build-system]\nrequires = ["maker-plugin"]\nbuild-backend = "hook"\nbackend-path = ["."]\n'
    sdists.publish(index, "maker-plugin", "1.0", modules={"maker_plugin": "WANTED = 'late'\n"})
    sdists.publish(index, "thing", "1.0", files={"hook.py": hook, "pyproject.toml": system})
    shop.service("app", "thing")
    done = shop.vendor()
    assert done.status == 0, done.err
    assert builders(shop, "thing") == ("late==1.0", "maker-plugin==1.0")


def test_a_backend_in_the_tree_that_passes_on_what_another_answers_is_asked(shop: Workshop, index: LocalIndex) -> None:
    index.add("old_setuptools-1.0.tar.gz", sdists.make_backend("old-setuptools", "1.0"))
    sdists.publish(index, "late", "1.0")
    system = '[build-system]\nrequires = ["old-setuptools"]\nbuild-backend = "hook"\nbackend-path = ["."]\n'
    files = {"hook.py": "from old_setuptools import *\n", "tiny_backend.py": "", "pyproject.toml": system}
    sdists.publish(index, "thing", "1.0", dynamic=["late"], files=files)
    shop.service("app", "thing")
    done = shop.vendor()
    assert done.status == 0, done.err
    assert builders(shop, "thing") == ("late==1.0", "old-setuptools==1.0")


def test_a_backend_may_call_its_parameters_what_it_likes(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "late", "1.0")
    system = '[build-system]\nrequires = []\nbuild-backend = "hook"\nbackend-path = ["."]\n'
    hook = (
        "import tiny_backend\n"
        "def get_requires_for_build_wheel(_settings=None):\n"
        "    return tiny_backend.get_requires_for_build_wheel(_settings)\n"
        "def prepare_metadata_for_build_wheel(folder, _settings=None):\n"
        "    return tiny_backend.prepare_metadata_for_build_wheel(folder, _settings)\n"
        "def build_wheel(folder, *rest):\n"
        "    return tiny_backend.build_wheel(folder, *rest)\n"
    )
    sdists.publish(
        index, "thing", "1.0", dynamic=["late"], metadata=False, files={"hook.py": hook, "pyproject.toml": system}
    )
    shop.service("app", "thing")
    done = shop.vendor()
    assert done.status == 0, done.err
    assert builders(shop, "thing") == ("late==1.0",)
    assert shop.build().status == 0


def test_a_hook_is_asked_by_every_interpreter(shop: Workshop, index: LocalIndex) -> None:
    hook = "import sys\nfrom tiny_backend import *\n"
    hook += "def get_requires_for_build_wheel(config_settings=None):\n"
    hook += "    return ['both', 'tool%d%d' % sys.version_info[:2]]\n"
    for name in ("both", "tool311", "tool312"):
        sdists.publish(index, name, "1.0")
    sdists.publish(index, "thing", "1.0", files={"hook.py": hook, "pyproject.toml": HOOK_IN_TREE})
    shop.service("app", "thing").write({".python-version": "3.11\n3.12\n"})
    if not all(is_there(version) for version in ("3.11", "3.12")):
        pytest.skip("Python 3.11 and 3.12 are not both here")
    done = shop.vendor()
    assert done.status == 0, done.err
    assert builders(shop, "thing") == (
        "both==1.0",
        "tool311==1.0 ; python_version == '3.11'",
        "tool312==1.0 ; python_version == '3.12'",
    )


CONTROL = "Source: app\nBuild-Depends: debhelper-compat (= 13){}\n"
LOOKS_FOR_PERL = """
import shutil, subprocess
import tiny_backend

def get_requires_for_build_wheel(config_settings=None):
    return [] if shutil.which("perl") else ["perl>=1"]

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    found = {name: runs(name) for name in ("perl", "sed", "ldd")}
    tiny_backend.SETTINGS["modules"]["thing"] = f"FOUND = {found}"
    return tiny_backend.build_wheel(wheel_directory)

def runs(name):
    try:
        return subprocess.run([name, "--version"], stdout=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False
"""


def found_by_build(shop: Workshop, store: str, *options: str) -> str:
    done = shop.build("--wheel-store", str(shop.root.parent / store), *options)
    assert done.status == 0, done.err
    (wheel,) = (shop.root.parent / store).rglob("thing-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read("thing.py").decode()


@pytest.mark.parametrize("sandbox", ["on", "landlock", "off"])
def test_hooks_and_builds_find_of_what_an_index_has_too_only_what_build_depends_names(
    shop: Workshop, index: LocalIndex, monkeypatch: pytest.MonkeyPatch, sandbox: str
) -> None:
    monkeypatch.setattr(debian_names, "REPLACEABLE", {"perl-base": ("perl",)})
    sdists.publish(index, "perl", "1.0")
    sdists.publish(index, "thing", "1.0", files={"hook.py": LOOKS_FOR_PERL, "pyproject.toml": HOOK_IN_TREE})
    if sandbox == "landlock":
        if fault := confined._try(Means.LANDLOCK):
            pytest.skip(f"this kernel allows no such sandbox: {fault}")
        monkeypatch.setattr(confined, "_find_means", lambda: (Means.LANDLOCK, None))
    walls = ("--sandbox", "off" if sandbox == "off" else "on")
    # It is on every Debian; where nothing declares it, the lock is enough.
    done = shop.service("app", "thing").vendor(*walls)
    assert done.status == 0, done.err
    assert builders(shop, "thing") == ("perl==1.0",)
    assert "warning: perl: built from source" in done.err and "(thing 1.0)" in done.err
    assert "add perl-base to Build-Depends in debian/control (`make vendor APT=1` does)" in done.err
    # A script (ldd) is found as any other program.
    assert found_by_build(shop, "one", *walls) == "FOUND = {'perl': False, 'sed': True, 'ldd': True}"
    shop.write({"debian/control": CONTROL.format("")})
    assert "up to date" in shop.vendor(*walls).out
    done = shop.vendor("--apt", *walls)
    assert "debian/control: Build-Depends: perl-base" in done.out and "`apt install perl-base`" in done.out
    assert (shop.root / "debian/control").read_text() == CONTROL.format(", perl-base")
    said = "debian/control: Build-Depends names others of perl-base since vendor/pylock.app.toml was made"
    assert shop.build(*walls).error[0] == said
    # What the hook answered without it does not count.
    done = shop.vendor(*walls)
    assert (done.status, done.err) == (0, "")
    assert builders(shop, "thing") == ()
    assert found_by_build(shop, "two", *walls) == "FOUND = {'perl': True, 'sed': True, 'ldd': True}"
    assert found_by_build(shop, "two", *walls) == "FOUND = {'perl': True, 'sed': True, 'ldd': True}"


def test_a_hook_that_asks_for_what_build_depends_names_and_this_machine_lacks(
    shop: Workshop, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian_names, "REPLACEABLE", {"no-such-build": ("no-such",), "other": ("no-other",)})
    sdists.publish(index, "no-such", "1.0")
    sdists.publish(index, "thing", "1.0", dynamic=["no-such>=1"])
    shop.write({"debian/control": CONTROL.format(", no-such-build, other")}).service("app", "thing")
    what = "this machine lacks what Build-Depends in debian/control names: no-such-build (for thing)"
    # The answer is known the second time.
    for _ in range(2):
        done = shop.vendor()
        assert done.error[0] == what
        assert done.error[1].startswith("`apt install no-such-build`: ")
    shop.write({"debian/control": CONTROL.format(", other")})
    assert shop.vendor().status == 0
    assert builders(shop, "thing") == ("no-such==1.0",)


def fails(shop: Workshop, what: str, *, advice: str, output: str) -> None:
    """Expect the error of a service that runs with `thing`, with this in its hint, and the output of what failed."""
    done = shop.service("app", "thing").vendor()
    assert done.error[0] == what
    assert advice in done.error[1]
    assert output in done.err
    assert shop.leftovers() == []


def test_a_hook_that_fails_is_named_with_what_it_said(shop: Workshop, index: LocalIndex) -> None:
    hook = {"hook.py": "raise SystemExit('no pg_config')\n", "pyproject.toml": HOOK_IN_TREE}
    sdists.publish(index, "thing", "1.0", files=hook)
    what = "thing: its build backend failed to name its build requirements; thing 1.0 is there for "
    what += "app/requirements.txt:1: thing"
    fails(shop, what, advice="another version of thing may do", output="no pg_config")
    sdists.publish_wheel(index, "thing", "1.0")
    files.remove(files.cache_root())
    fails(shop, what, advice="add the line thing to app/vendor.txt to take its wheels", output="no pg_config")
    assert shop.write({"app/vendor.txt": "thing\n"}).vendor().status == 0


def builds(done: Done) -> list[str]:
    """Return what a verb built, each as often as it did."""
    return sorted(line.split()[1] for line in done.out.splitlines() if line.split()[:1] == ["BUILD"])


def test_what_a_hook_needs_built_is_not_built_again(shop: Workshop, index: LocalIndex) -> None:
    # `kit` is only there as source; `maker`, which builds it, is there as a wheel too, but a vendored build is its own.
    index.add("maker-1.0.tar.gz", sdists.make_backend("maker", "1.0", dynamic=["late"]))
    sdists.publish_wheel(index, "maker", "1.0")
    sdists.publish(index, "late", "1.0")
    add_made(index, "kit")
    sdists.publish(index, "thing", "1.0", build_requires=["kit"], dynamic=["more"])
    sdists.publish(index, "more", "1.0")
    shop.service("app", "thing", "late")
    done = shop.vendor()
    assert done.status == 0, done.err
    assert builders(shop, "thing") == ("kit==1.0", "more==1.0")
    assert builds(done) == ["kit", "late", "maker"]
    assert builds(shop.build()) == ["app", "more", "thing"]
    assert builds(shop.build()) == []


def test_what_a_hook_needs_stays_in_the_project_without_a_wheel_store(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "kit", "1.0")
    sdists.publish(index, "thing", "1.0", build_requires=["kit"], dynamic=["kit"])
    shop.service("app", "thing")
    done = shop.vendor("--wheel-store", "")
    assert builds(done) == ["kit"], done.err
    assert not (files.cache_root() / "store").exists()
    assert builds(shop.build("--wheel-store", "")) == ["app", "thing"]


def test_a_hook_is_asked_once_and_builds_nothing_when_its_answer_is_known(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "kit", "1.0")
    sdists.publish(index, "thing", "1.0", build_requires=["kit"], dynamic=["kit"])
    shop.service("app", "thing")
    assert builds(shop.vendor("--wheel-store", str(shop.root / "one"))) == ["kit"]
    assert builds(shop.vendor("--wheel-store", str(shop.root / "other"), "--upgrade", "all")) == []


def test_a_build_for_a_hook_that_fails_is_named_with_what_waits_for_it(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "kit", "1.0", needs_at_build=["no_such_module"])
    sdists.publish(index, "thing", "1.0", build_requires=["kit"], dynamic=["kit"])
    what = "kit 1.0: its wheel could not be built; thing 1.0 is there for app/requirements.txt:1: thing"
    fails(shop, what, advice="the whole output is in ", output="no_such_module")


@pytest.mark.parametrize(
    "setup",
    ['setup(name="thing", version="1.0", setup_requires=["late"])', 'setup(name="thing", setup_requires="late\\n")'],
)
def test_setup_requires(shop: Workshop, index: LocalIndex, setup: str) -> None:
    sdists.publish_wheel(index, "setuptools", "80.0")
    sdists.publish(index, "late", "1.0")
    sdists.publish(
        index,
        "thing",
        "1.0",
        backend="legacy",
        metadata=True,
        files={"setup.py": f"from setuptools import setup\n{setup}\n"},
    )
    shop.service("app", "thing").write({"app/vendor.txt": "setuptools\n"})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert builders(shop, "thing") == ("late==1.0", "setuptools==80.0")


def test_a_circle_is_found_before_any_build(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "hen", "1.0", build_requires=["egg"])
    sdists.publish(index, "egg", "1.0", build_requires=["hen"])
    shop.service("app", "hen")
    what, hint = shop.vendor().error
    assert what == "build requirements go in a circle: egg==1.0 -> hen==1.0 -> egg==1.0"
    assert hint == "no index has wheels to begin with: allow another version of egg, or leave it out"
    assert not (shop.root / "vendor").exists()
    sdists.publish_wheel(index, "egg", "1.0")
    files.remove(files.cache_root())
    assert "add the line egg to app/vendor.txt and run" in shop.vendor().error[1]
    assert shop.write({"app/vendor.txt": "egg\n"}).vendor().status == 0
    assert builders(shop, "hen") == ("egg==1.0",)


@pytest.mark.parametrize("line", ["thing: thing", "kit: thing", "kit==1.0: Thing>=1"])
def test_a_circle_that_a_line_of_the_project_closes(shop: Workshop, index: LocalIndex, line: str) -> None:
    sdists.publish(index, "kit", "1.0")
    sdists.publish_wheel(index, "kit", "1.0")
    sdists.publish(index, "thing", "1.0", build_requires=["kit"])
    shop.service("app", "thing").write({"build-requirements.txt": f"\n{line}\n"})
    what, hint = shop.vendor().error
    assert what.startswith("build requirements go in a circle: ")
    assert hint == "remove build-requirements.txt:2: without it there is no such circle"
    shop.write({"build-requirements.txt": ""})
    assert shop.vendor().status == 0


def test_a_circle_that_a_marker_opens_is_none(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "hen", "1.0", build_requires=["egg"])
    sdists.publish(index, "egg", "1.0", build_requires=['hen; python_version < "3.0"'])
    shop.service("app", "hen")
    assert shop.vendor().status == 0
    assert builders(shop, "egg") == ()


def test_a_build_requirement_that_does_not_exist_is_named(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "thing", "1.0", build_requires=["nowhere"])
    shop.service("app", "thing")
    what, _ = shop.vendor().error
    assert "nowhere" in what
    assert index.url in what


def test_an_index_that_fails_is_not_asked_again_for_each_set(
    shop: Workshop, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A long timeout leaves one repetition, so that the test does not last.
    monkeypatch.setenv("PIP_TIMEOUT", "180")
    for number in range(3):
        sdists.publish(index, f"thing{number}", "1.0", build_requires=[f"tool{number}"])
        sdists.publish(index, f"tool{number}", "1.0")
    index.fails("/simple/tool1/", "status", status=500)
    shop.service("app", "thing0", "thing1", "thing2")
    what, _ = shop.vendor().error
    assert "500 Internal Server Error" in what
    # Once by the engine with its repetitions; each set by itself would ask as often again.
    assert index.requests["/simple/tool0/"] == 1


def test_a_build_requirement_that_no_version_satisfies_is_told_with_what_it_builds(
    shop: Workshop, index: LocalIndex
) -> None:
    add_backend(index, "1.0")
    add_made(index, "thing", ">=9")
    shop.service("app", "thing")
    assert shop.vendor().error[0].startswith("building thing 1.0: no version satisfies `maker>=9`")


def test_constraints_limit_what_builds_and_not_what_runs(
    shop: Workshop, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("1.0", "2.0", "3.0"):
        add_backend(index, version)
    add_made(index, "thing")
    shop.service("app", "thing", "maker").write({"app/build-constraints.txt": "# the last that works\nMaker<3\n"})
    assert shop.vendor().status == 0
    assert (shop.keys(), builders(shop, "thing")) == (["maker==3.0", "thing==1.0"], ("maker==2.0",))
    # One of the project counts too, and is noticed without a network.
    shop.write({"build-constraints.txt": "maker<2\n"})
    assert "build-constraints.txt: appeared" in shop.run("check-vendor").error[0]
    assert shop.vendor().status == 0
    assert builders(shop, "thing") == ("maker==1.0",)
    shop.write({"build-constraints.txt": "", "app/build-constraints.txt": "", "mine.txt": "maker<3\n"})
    monkeypatch.setenv("PIP_BUILD_CONSTRAINT", str(shop.root / "mine.txt"))
    assert shop.vendor("--upgrade", "all").status == 0
    assert builders(shop, "thing") == ("maker==2.0",)


def test_each_service_has_constraints_of_its_own(shop: Workshop, index: LocalIndex) -> None:
    for version in ("1.0", "2.0"):
        add_backend(index, version)
    add_made(index, "thing")
    shop.service("app", "thing").service("other", "thing").write({"app/build-constraints.txt": "maker<2\n"})
    assert shop.vendor().status == 0
    assert [str(shop.lock(name).find("thing==1.0").build_requires[0]) for name in ("app", "other")] == [
        "maker==1.0",
        "maker==2.0",
    ]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (
            "maker>=9",
            "app/build-constraints.txt:1: no version satisfies `maker>=9`; building thing 1.0: maker>=1 asks for one",
        ),
        (
            "maker<1",
            "app/build-constraints.txt:1: no version satisfies `maker<1`; building thing 1.0: maker>=1 asks for one",
        ),
        ("maker @ https://host/maker-1.0.tar.gz", "app/build-constraints.txt:1: only a name and its versions can"),
        ("maker[more]<2", "app/build-constraints.txt:1: a constraint cannot have extras"),
    ],
)
def test_a_constraint_that_cannot_be_kept_is_named(shop: Workshop, index: LocalIndex, line: str, what: str) -> None:
    add_backend(index, "1.0")
    add_made(index, "thing", ">=1")
    shop.service("app", "thing").write({"app/build-constraints.txt": f"{line}\n"})
    assert shop.vendor().error[0].startswith(what)


def test_a_file_of_constraints_that_is_not_there(
    shop: Workshop, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_BUILD_CONSTRAINT", "/nowhere/limits.txt")
    assert shop.service("app").vendor().error[0] == "PIP_BUILD_CONSTRAINT: there is no file /nowhere/limits.txt"


def test_what_an_sdist_forgot_to_name_is_added_by_name(shop: Workshop, index: LocalIndex) -> None:
    for version in ("1.0", "2.0"):
        sdists.publish(index, "helper", version)
        sdists.publish(index, "thing", version, needs_at_build=["helper"])
    sdists.publish(index, "other", "1.0")
    shop.service("app", "thing==1.0", "other")
    assert shop.vendor().status == 0
    assert "No module named 'helper'" in shop.build().err
    shop.write({"app/build-requirements.txt": "# it imports it\nThing: Helper<2\nthing==2.0: other\n"})
    assert "app/build-requirements.txt: appeared" in shop.run("check-vendor").error[0]
    done = shop.vendor()
    assert done.status == 0, done.err
    assert "app/build-requirements.txt:3: nothing that is built is called thing==2.0" in done.err
    assert (builders(shop, "thing"), builders(shop, "other")) == (("helper==1.0",), ())
    assert shop.build().status == 0
    why = shop.run("why", "helper")
    assert "  app/requirements.txt:1: thing==1.0 (app/build-requirements.txt:2) => helper<2" in why.out, why.err


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("helper", "no `name: requirement`: `helper`"),
        ("thing: ", "`` is no requirement: `thing:`"),
        ("thing[more]: helper", "only a name (and its versions) can stand before the colon: `thing[more]: helper`"),
        ("thing: helper @ https://host/helper-1.tar.gz", "a URL, where what builds comes from an index"),
        ("app: helper", "app is a package of this project (app/)"),
        ("thing: nowhere", "no distribution `nowhere`"),
        ("thing: helper>9", "no version satisfies `helper>9`"),
    ],
)
def test_a_line_of_build_requirements_that_cannot_be_met(
    shop: Workshop, index: LocalIndex, line: str, what: str
) -> None:
    sdists.publish(index, "helper", "1.0")
    sdists.publish(index, "thing", "1.0")
    shop.service("app", "thing").write({"build-requirements.txt": f"{line}\n"})
    assert shop.vendor().error[0].startswith(f"build-requirements.txt:1: {what}")


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
@pytest.mark.parametrize("builder", ["nowhere>=0.1", "nowhere[more]>=0.1"])
def test_an_older_release_is_taken_where_no_index_has_what_builds_the_newest(
    shop: Workshop, index: LocalIndex, builder: str, resolver: str
) -> None:
    for version in ("1.9", "2.0"):
        sdists.publish(index, "deep", version, build_requires=[builder])
        sdists.publish_wheel(index, "deep", version)
    sdists.publish(index, "deep", "1.0")
    sdists.publish(index, "top", "1.0", requires=["deep>=1"])
    done = shop.service("app", "top").vendor("--resolver", resolver)
    reason = f"no distribution `nowhere` in {index.url}"
    assert f"  OLDER   deep 1.0, as 2.0 cannot be built: {reason}\n" in done.out, done.err
    assert shop.keys() == ["deep==1.0", "top==1.0"]
    shop.write({"app/requirements.txt": "top\ndeep>1.9\n"})
    before = shop.vendored()
    said, hint = shop.vendor("--resolver", resolver).error
    assert said == f"building deep 2.0: {reason}; deep 2.0 is there for app/requirements.txt:2: deep>1.9"
    wheels = "add the line deep to app/vendor.txt to take its wheels"
    assert hint == f"{wheels}, or allow deep 1.0, which can be built, in app/requirements.txt:2: deep>1.9"
    assert shop.vendored() == before
    assert shop.write({"app/vendor.txt": "deep\n"}).vendor("--resolver", resolver).status == 0
    assert shop.keys() == ["deep==2.0", "top==1.0"]


def test_an_older_release_is_taken_where_only_a_build_tells_what_the_newest_requires(
    shop: Workshop, index: LocalIndex
) -> None:
    sdists.publish(index, "deep", "2.0", build_requires=["nowhere"], metadata=False)
    sdists.publish(index, "deep", "1.0", metadata=False)
    done = shop.service("app", "deep").vendor()
    assert "  OLDER   deep 1.0, as 2.0 cannot be built: no distribution `nowhere`" in done.out, done.err
    shop.write({"app/requirements.txt": "deep==2.0\n"})
    assert shop.vendor().error[0].startswith("building deep 2.0: no distribution `nowhere`")


def test_no_older_release_is_taken_for_what_the_project_itself_says_of_builds(
    shop: Workshop, index: LocalIndex
) -> None:
    add_backend(index, "1.0")
    index.add("thing-1.0.tar.gz", sdists.make_sdist_with_backend("thing", "1.0", "maker"))
    index.add("thing-2.0.tar.gz", sdists.make_sdist_with_backend("thing", "2.0", "maker", ">=1"))
    shop.service("app", "thing").write({"build-constraints.txt": "maker<1\n"})
    done = shop.vendor()
    assert "build-constraints.txt:1: no version satisfies `maker<1`" in done.error[0]
    assert "OLDER" not in done.out


def test_all_that_is_wrong_is_told_in_one_run(shop: Workshop, index: LocalIndex) -> None:
    add_backend(index, "1.0")
    sdists.publish_wheel(index, "closed", "1.0")
    sdists.publish(index, "lacking", "1.0", build_requires=["nowhere"])
    sdists.publish(index, "asked", "1.0", requires=["lacking"])
    hook = {"hook.py": "raise SystemExit('no pg_config')\n", "pyproject.toml": HOOK_IN_TREE}
    sdists.publish(index, "failing", "1.0", files=hook)
    for first, second in (("hen", "egg"), ("egg", "hen")):
        sdists.publish(index, first, "1.0", build_requires=[second])
        sdists.publish_wheel(index, first, "1.0")
    shop.service("app", "closed", "-e .", "asked", "missing", "failing", "asked>=9", "hen", "--pre")
    shop.service("other", "lacking", build_requires=["unheard"])
    found = shop.vendor().errors
    failing = "failing: its build backend failed to name its build requirements; "
    failing += "failing 1.0 is there for app/requirements.txt:5: failing"
    assert sorted(what.partition(" in http")[0] for what, _ in found) == [
        "app/requirements.txt:2: -e is not allowed here: `-e .`",
        "app/requirements.txt:4: no distribution `missing`",
        "app/requirements.txt:6: no version satisfies `asked>=9`",
        "app/requirements.txt:8: --pre is not allowed here: `--pre`",
        "build requirements go in a circle: egg==1.0 -> hen==1.0 -> egg==1.0",
        "building lacking 1.0: no distribution `nowhere`",
        "building other: no distribution `unheard`",
        "closed 1.0 has no sdist; it is there for app/requirements.txt:1: closed",
        failing,
    ]
    assert all(hint for _, hint in found)
    assert not (shop.root / "vendor").exists()


def test_a_fault_of_several_services_is_told_once(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish_wheel(index, "closed", "1.0")
    sdists.publish(index, "top", "1.0", requires=["closed"])
    shop.service("app", "closed").service("other", "top")
    what, hint = shop.vendor().error
    assert what == (
        "closed 1.0 has no sdist; it is there for app/requirements.txt:1: closed "
        "and other/requirements.txt:1: top -> closed 1.0"
    )
    wheels = "add the line closed to {}/vendor.txt to take its wheels"
    assert hint == f"{wheels.format('app')}, or {wheels.format('other')}"
    assert shop.write({"app/vendor.txt": "closed\n"}).vendor().status == 0


def test_nothing_is_asked_of_any_index_where_a_line_names_another_one(shop: Workshop, index: LocalIndex) -> None:
    shop.service("app", "--index-url https://internal.invalid/simple", "private", "-e .")
    assert [what.partition(" is not")[0] for what, _ in shop.vendor().errors] == [
        "app/requirements.txt:1: --index-url",
        "app/requirements.txt:3: -e",
    ]
    assert index.requests.total() == 0


def test_a_builder_that_cannot_be_built_is_told_with_what_it_builds(shop: Workshop, index: LocalIndex) -> None:
    add_backend(index, "2.0", requires=[])
    sdists.publish(index, "helper", "2.0", build_requires=["maker>=9"])
    sdists.publish(index, "thing", "1.0", build_requires=["helper"])
    said, hint = shop.service("app", "thing").vendor().error
    assert said == (
        "building helper 2.0: no version satisfies `maker>=9`; "
        "helper 2.0 is there for app/requirements.txt:1: thing => helper 2.0"
    )
    assert hint == "use another version of helper, or of what requires it, or leave it out"
    sdists.publish(index, "helper", "1.0")
    files.remove(files.cache_root())
    done = shop.vendor()
    assert "  OLDER   helper 1.0, as 2.0 cannot be built: no version satisfies `maker>=9`\n" in done.out, done.err
    assert builders(shop, "thing") == ("helper==1.0",)
    # It is locked then, and nobody has to be told again.
    shop.write({"app/requirements.txt": "thing\n# as before\n"})
    assert "OLDER" not in shop.vendor().out
    assert builders(shop, "thing") == ("helper==1.0",)


def add_setuptools(index: LocalIndex, *versions: str) -> None:
    """Publish backends by the name that the rule of ages knows."""
    for version in versions:
        index.add(f"setuptools-{version}.tar.gz", sdists.make_backend("setuptools", version))


def add_old(index: LocalIndex, name: str, specifier: str = "", uploaded: str = "2020-06-22T00:00:00Z") -> None:
    system = f'[build-system]\nrequires = ["setuptools{specifier}"]\nbuild-backend = "setuptools"\n'
    files = {"pyproject.toml": system, "setup.py": "import pkg_resources\n"}
    index.add(f"{name}-1.0.tar.gz", sdists.make_sdist(name, "1.0", files=files), upload_time=uploaded)


def test_an_old_sdist_is_built_by_what_has_what_it_uses(shop: Workshop, index: LocalIndex) -> None:
    add_setuptools(index, "81.0", "84.0")
    add_old(index, "old")
    add_old(index, "new", uploaded="2026-03-01T00:00:00Z")
    add_old(index, "bounded", ">=40,!=81.0")
    add_made(index, "other")
    add_backend(index, "1.0")
    shop.service("app", "old", "new", "bounded", "other")
    done = shop.vendor()
    assert done.status == 0, done.err
    assert builders(shop, "old") == ("setuptools==81.0",)
    # It is younger; and where a bound leaves nothing, there is none.
    assert builders(shop, "new") == builders(shop, "bounded") == ("setuptools==84.0",)
    told = shop.run("why", "setuptools").out
    assert "(of 2020-06-22, before setuptools 82 removed pkg_resources) => setuptools<82" in told
    assert told.count("of 2020-06-22") == 1
    assert "up to date" in shop.vendor().out
    assert shop.build().status == 0


@pytest.mark.parametrize(
    ("file", "text"), [("build-constraints.txt", "setuptools>=82"), ("build-requirements.txt", "old: setuptools!=83")]
)
def test_what_the_project_says_of_a_build_comes_before_its_age(
    shop: Workshop, index: LocalIndex, file: str, text: str
) -> None:
    add_setuptools(index, "81.0", "84.0")
    add_old(index, "old")
    shop.service("app", "old")
    assert shop.vendor().status == 0
    assert builders(shop, "old") == ("setuptools==81.0",)
    shop.write({file: f"{text}\n"})
    done = shop.vendor("--upgrade", "setuptools")
    assert done.status == 0, done.err
    assert builders(shop, "old") == ("setuptools==84.0",)


def test_an_index_that_tells_no_ages(shop: Workshop, index: LocalIndex) -> None:
    add_setuptools(index, "81.0", "84.0")
    add_old(index, "old", uploaded="")
    shop.service("app", "old")
    assert shop.vendor().status == 0
    assert builders(shop, "old") == ("setuptools==84.0",)


def test_the_line_in_the_hint_of_a_missing_module_works(shop: Workshop, index: LocalIndex) -> None:
    backend = Path(sdists.__file__).with_name("backend.py").read_text(encoding="utf-8")
    modules = {"setuptools": backend, "pkg_resources": ""}
    index.add("setuptools-81.0.tar.gz", sdists.make_sdist("setuptools", "81.0", modules=modules))
    add_setuptools(index, "84.0")
    system = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools"\n'
    sdists.publish(index, "thing", "1.0", needs_at_build=["pkg_resources"], files={"pyproject.toml": system})
    shop.service("app", "thing")
    assert shop.vendor().status == 0
    what, hint = shop.build().error
    assert what == "thing 1.0: its wheel could not be built"
    assert "its build lacks pkg_resources: add the line `thing: setuptools<82` to a build-requirements.txt" in hint
    shop.write({"build-requirements.txt": "thing: setuptools<82\n"})
    assert shop.vendor().status == 0
    assert shop.build().status == 0


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({"build_requires": ["helper>=0.5"]}, "`helper>=0.5`"),
        ({"dynamic": ["helper"]}, "`helper`"),
        ({"build_requires": ["tool"]}, "`helper`, which tool requires,"),
    ],
)
def test_a_package_of_the_project_that_a_build_requires_is_an_error(
    shop: Workshop, index: LocalIndex, options: dict[str, Any], asked: str
) -> None:
    sdists.publish(index, "tool", "1.0", requires=["helper"])
    sdists.publish(index, "thing", "1.0", **options)
    sdists.publish_wheel(index, "thing", "1.0")
    shop.service("app", "thing").package("helper")
    said, hint = shop.vendor().error
    assert said.startswith(f"building thing 1.0: {asked} is a package of this project")
    assert said.endswith("thing 1.0 is there for app/requirements.txt:1: thing")
    assert hint == "add the line thing to app/vendor.txt to take its wheels"
    shop.write({"app/vendor.txt": "thing\n"})
    assert shop.vendor().status == 0


def test_an_older_release_is_taken_that_no_package_of_the_project_builds(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "thing", "1.0", build_requires=["helper; python_version < '3'"])
    sdists.publish(index, "thing", "2.0", build_requires=["helper"])
    done = shop.service("app", "thing").package("helper").vendor()
    assert done.status == 0, done.err
    assert shop.keys() == ["thing==1.0"]
    assert "OLDER" in done.out


def test_a_package_of_the_project_does_not_build_another_one(shop: Workshop) -> None:
    said, hint = shop.package("helper").service("app", build_requires=["helper"]).vendor().error
    assert said == "building app: `helper` is a package of this project, which builds nothing else"
    assert "backend-path" in hint


def test_what_a_failed_backend_or_a_false_archive_hides_is_told_in_the_same_run(
    shop: Workshop, index: LocalIndex
) -> None:
    sdists.publish(index, "dying", "1.0", metadata=False, files={"tiny_backend.py": "raise SystemExit(1)"})
    index.add("false-1.0.tar.gz", sdists.make_sdist("false", "2.0"))
    sdists.publish(index, "leading", "1.0", requires=["false", "dying"])
    sdists.publish(index, "lacking", "1.0", build_requires=["nowhere"])
    shop.service("app", "leading", "dying", "lacking")
    told = {said.partition(";")[0]: said.partition("; ")[2] for said, _ in shop.vendor().errors}
    assert told == {
        "false-1.0.tar.gz: its metadata says false 2.0, not false 1.0": (
            "false 1.0 is there for app/requirements.txt:1: leading -> false 1.0"
        ),
        "dying: its build backend failed to name its build requirements": (
            "dying 1.0 is there for app/requirements.txt:2: dying"
        ),
        f"building lacking 1.0: no distribution `nowhere` in {index.url}": (
            "lacking 1.0 is there for app/requirements.txt:3: lacking"
        ),
    }
