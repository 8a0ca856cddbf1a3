"""`build-settings.toml`: what one distribution is built with, at `make vendor` and in its build alike."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from tests.integration.workshop import Workshop
from toolkit.core import files

SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "hook"\nbackend-path = ["."]\n'
#: A backend that fetches unless it is told not to, in each of its hooks, and writes down what it was told.
HOOK = """
import os, tiny_backend
def told(config_settings):
    if os.environ.get("ZQX_SYSTEM_LIB") != "1":
        raise OSError(101, "Network is unreachable")
    names = ("ZQX_SYSTEM_LIB", "CFLAGS", "PATH", "OUTSIDE")
    return {"config": config_settings, **{name: os.environ.get(name, "") for name in names}}
def get_requires_for_build_wheel(config_settings=None):
    return ["helper"] if told(config_settings)["config"] else []
def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    tiny_backend.SETTINGS["requires"] = ["needed"] if told(config_settings)["config"] else []
    return tiny_backend.prepare_metadata_for_build_wheel(metadata_directory)
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    seen = told(config_settings)
    tiny_backend.SETTINGS["requires"] = ["needed"] if seen["config"] else []
    tiny_backend.SETTINGS["modules"]["seen"] = f"SEEN = {seen!r}"
    return tiny_backend.build_wheel(wheel_directory)
"""
SOURCES = {"hook.py": HOOK, "pyproject.toml": SYSTEM}
SETTINGS = """\
# Of the system, not of the network.
[Zqx_Env]
env = {ZQX_SYSTEM_LIB = "1", CFLAGS = "-DZQX"}

[zqx-env.config-settings]
with = "yes"
define = ["a", "b"]
"""


@pytest.fixture
def stubborn(shop: Workshop, index: LocalIndex) -> Workshop:
    """Return a project with a service that needs what fetches while it is built."""
    sdists.publish(index, "zqx-env", "1.0", files=SOURCES)
    for name in ("helper", "needed", "other"):
        sdists.publish(index, name, "1.0")
    return shop.service("app", "zqx-env", "other")


def seen(name: str) -> dict[str, object]:
    """Return what the one wheel of this name in the store was told."""
    (wheel,) = (path for path in (files.cache_root() / "store").rglob("*.whl") if path.name.startswith(name))
    return seen_in(wheel)


def seen_in(wheel: Path) -> dict[str, object]:
    namespace: dict[str, dict[str, object]] = {}
    with zipfile.ZipFile(wheel) as archive:
        exec(archive.read("seen.py").decode(), namespace)
    return namespace["SEEN"]


def test_hooks_metadata_and_build_get_the_settings_and_the_lock_has_them(
    stubborn: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZQX_SYSTEM_LIB", "1")
    monkeypatch.setenv("OUTSIDE", "1")
    failed = stubborn.vendor()
    assert "zqx-env: its build backend failed to name its build requirements" in failed.error[0]
    assert 'write it to build-settings.toml, `[zqx-env]` and below it `env = {NAME = "value"}`' in failed.error[1]
    done = stubborn.write({"build-settings.toml": SETTINGS.replace("[zqx-env.", "[Zqx_Env.")}).vendor()
    assert done.status == 0, done.err
    locked = stubborn.lock().find("zqx-env==1.0")
    assert locked.settings.config == (("define", ("a", "b")), ("with", "yes"))
    assert locked.settings.environment == (("CFLAGS", "-DZQX"), ("ZQX_SYSTEM_LIB", "1"))
    assert [item.name for item in locked.build_requires] == ["helper"]
    assert not stubborn.lock().find("other==1.0").settings
    assert stubborn.vendor().status == 0
    assert stubborn.lock().find("zqx-env==1.0") == locked


def test_metadata_that_only_a_build_tells_are_those_of_the_settings(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "zqx-env", "1.0", files=SOURCES, metadata=False)
    for name in ("helper", "needed"):
        sdists.publish(index, name, "1.0")
    plain = '[zqx-env]\nenv = {ZQX_SYSTEM_LIB = "1"}\n'
    done = shop.service("app", "zqx-env").write({"build-settings.toml": plain}).vendor()
    assert done.status == 0, done.err
    assert shop.keys() == ["zqx-env==1.0"]
    assert shop.write({"build-settings.toml": f'{plain}config-settings = {{with = "yes"}}\n'}).vendor().status == 0
    assert shop.keys() == ["needed==1.0", "zqx-env==1.0"]


def test_what_builds_are_told(stubborn: Workshop, index: LocalIndex) -> None:
    settings = SETTINGS.replace("[zqx-env.", "[Zqx_Env.")
    stubborn.write({"app/build-settings.toml": settings, "app/requirements.txt": "zqx-env\nneeded\n"})
    assert stubborn.vendor().status == 0
    done = stubborn.build()
    assert done.status == 0, done.err
    told = seen("zqx_env")
    assert told["config"] == {"define": ["a", "b"], "with": "yes"}
    assert (told["ZQX_SYSTEM_LIB"], told["OUTSIDE"]) == ("1", "")
    # Added to the system's flags, which hide the directory of the build.
    assert str(told["CFLAGS"]).endswith(" -DZQX")
    assert "-ffile-prefix-map=" in str(told["CFLAGS"])
    why = stubborn.run("why", "zqx-env")
    assert "  is built with ZQX_SYSTEM_LIB=1\n  is built with -C define=a\n  is built with -C define=b\n" in why.out


def test_another_setting_is_another_wheel_and_a_change_for_check_vendor(stubborn: Workshop) -> None:
    plain = '[zqx-env]\nenv = {ZQX_SYSTEM_LIB = "1"}\n'
    assert stubborn.write({"build-settings.toml": plain}).vendor().status == 0
    assert stubborn.run("check-vendor").status == 0
    assert stubborn.build().status == 0
    changed = plain.replace("}", ', CFLAGS = "-DB"}')
    done = stubborn.write({"build-settings.toml": changed}).run("check-vendor")
    assert done.error[0].startswith("build-settings.toml: changed since vendor/pylock.app.toml was made")
    done = stubborn.vendor()
    assert "* zqx-env 1.0, with other build settings" in done.out, done.err
    done = stubborn.build()
    assert "BUILD   zqx-env 1.0" in done.out, done.out
    # What is no change of a setting is none.
    assert stubborn.write({"build-settings.toml": f"# Again.\n{changed}\n"}).run("check-vendor").status == 0
    lock = stubborn.root / "vendor" / "pylock.app.toml"
    lock.write_text(lock.read_text().replace("-DB", "-DC"))
    error, _ = stubborn.run("check-vendor").error
    assert error == "vendor/pylock.app.toml: zqx-env==1.0 has other settings than in build-settings.toml"


def test_an_archive_and_a_local_package_have_settings_too(shop: Workshop, index: LocalIndex) -> None:
    url = index.add("zqx_env-1.0.tar.gz", sdists.make_sdist("zqx-env", "1.0", files=SOURCES), name="elsewhere")
    shop.service("app", "lib").package("lib")
    shop.write({"lib/hook.py": HOOK, "lib/pyproject.toml": f'{SYSTEM}[project]\nname = "lib"\nversion = "1.0"\n'})
    both = '[zqx-env]\nenv = {ZQX_SYSTEM_LIB = "1"}\n[lib]\nenv = {ZQX_SYSTEM_LIB = "1"}\n'
    shop.write({"app/vendor.txt": f"{url}\n", "app/requirements.txt": "zqx-env\nlib\n", "build-settings.toml": both})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert [bool(item.settings) for item in shop.lock().packages] == [True]
    assert [bool(item.settings) for item in shop.lock().local] == [True, False]
    assert shop.build().status == 0
    assert seen("lib")["ZQX_SYSTEM_LIB"] == "1"
    error, hint = shop.write({"build-settings.toml": both.partition("[lib]")[0]}).vendor().error
    assert (error, "[lib]" in hint) == ("lib: its build backend failed to name its build requirements", True)


def test_what_builds_in_a_hook_has_its_settings(shop: Workshop, index: LocalIndex) -> None:
    hook = HOOK.replace(
        "get_requires_for_build_wheel(config_settings=None):\n    return", "_unused(config_settings):\n    return"
    )
    index.add("maker-1.0.tar.gz", sdists.make_backend("maker", "1.0", files={**SOURCES, "hook.py": hook}))
    index.add("thing-1.0.tar.gz", sdists.make_sdist_with_backend("thing", "1.0", "maker", dynamic=[]))
    shop.service("app", "thing").write({"build-settings.toml": '[maker]\nenv = {ZQX_SYSTEM_LIB = "1"}\n'})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert shop.lock().find("maker==1.0").settings.environment == (("ZQX_SYSTEM_LIB", "1"),)


def test_a_name_that_nothing_has_is_told(stubborn: Workshop) -> None:
    settings = '[zqx-env]\nenv = {ZQX_SYSTEM_LIB = "1"}\n\n[zqx-emv]\nenv = {A = "1"}\n'
    done = stubborn.service("second", "other").write({"build-settings.toml": settings}).vendor()
    assert done.status == 0, done.err
    # Once, and nothing of what only one of the services has.
    assert done.err.count("nothing that is built is called") == 1
    assert "build-settings.toml:4: nothing that is built is called zqx-emv" in done.err


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[zqx-env\n", "build-settings.toml: not a TOML file: "),
        ("zqx-env = 1\n", "build-settings.toml:1: zqx-env: no table, or an empty one"),
        ("\n[zqx-env]\n", "build-settings.toml:2: zqx-env: no table, or an empty one"),
        ('["zqx env"]\nenv = {A = "1"}\n', "build-settings.toml:1: `zqx env` is no name of a distribution"),
        ('["zqx-env>=1"]\nenv = {A = "1"}\n', "build-settings.toml:1: `zqx-env>=1` is no name of a distribution, or"),
        ('["zqx-env=="]\nenv = {A = "1"}\n', "build-settings.toml:1: `zqx-env==` is no name of a distribution, or"),
        (
            '["a==1.0".env]\nA = "1"\n["A==1".env]\nB = "1"\n',
            "build-settings.toml:3: a==1 has a table at build-settings.toml:1 already",
        ),
        (
            '[other]\nenv = {A = "1"}\n[zqx-env]\nenviron = {A = "1"}\n',
            "build-settings.toml:4: zqx-env: `environ` is no",
        ),
        ("[zqx-env]\nenv = 1\n", "build-settings.toml:2: zqx-env: env is no table"),
        ("[zqx-env]\n# A\n[zqx-env.env]\nA = 1\n", "build-settings.toml:4: zqx-env: A is no text of one line: `1`"),
        ('[zqx-env.env]\nA = """a\nb"""\n', "build-settings.toml:2: zqx-env: A is no text of one line"),
        ('[zqx-env]\nenv = {"A B" = "1"}\n', "build-settings.toml:2: zqx-env: `A B` is no name of a variable"),
        ("[zqx-env]\nconfig-settings = {a = [1]}\n", "build-settings.toml:2: zqx-env: a is no text of one line: `1`"),
        (
            "[zqx-env]\nconfig-settings = {a = true}\n",
            "build-settings.toml:2: zqx-env: a is no text of one line: `True`",
        ),
        (
            '[a.env]\nA = "1"\n[A.env]\nB = "1"\n',
            "build-settings.toml:3: a has a table at build-settings.toml:1 already",
        ),
        *(
            (f'[zqx-env.env]\n{name} = "1"\n', f"build-settings.toml:2: zqx-env: {name} is not for builds to set")
            for name in (
                "PATH",
                "PYTHONPATH",
                "LD_PRELOAD",
                "HOME",
                "SOURCE_DATE_EPOCH",
                "PIP_INDEX_URL",
                "https_proxy",
            )
        ),
        ('[zqx-env.env]\nAPI_TOKEN = "hunter2"\n', "build-settings.toml:2: zqx-env: API_TOKEN looks like a secret"),
        ('[zqx-env.env]\nA = "https://me:hunter2@host/"\n', "build-settings.toml:2: zqx-env: A looks like a secret"),
        ('[zqx-env.config-settings]\nauth = "hunter2"\n', "build-settings.toml:2: zqx-env: auth looks like a secret"),
    ],
)
def test_what_cannot_be_a_setting(stubborn: Workshop, text: str, what: str) -> None:
    done = stubborn.write({"build-settings.toml": text}).vendor()
    assert done.error[0].startswith(what)
    assert "hunter2" not in done.out + done.err
    assert not (stubborn.root / "vendor").exists()


def test_all_that_is_refused_in_files_about_builds_is_told_at_once(stubborn: Workshop) -> None:
    tables = '[one]\nenv = {PATH = "x"}\n[two]\nenvironment = {}\n'
    files = {"build-settings.toml": tables, "build-requirements.txt": "one\n", "build-constraints.txt": "one[x]<2\n"}
    said = sorted(what.partition(": ")[0] for what, _ in stubborn.write(files).vendor().errors)
    assert said == [
        "build-constraints.txt:1",
        "build-requirements.txt:1",
        "build-settings.toml:2",
        "build-settings.toml:4",
    ]


def test_what_turns_something_on_is_no_secret(stubborn: Workshop) -> None:
    text = '[zqx-env]\nenv = {ZQX_SYSTEM_LIB = "1", WITH_AUTH = "on", TOKENS = "system"}\n'
    assert stubborn.write({"build-settings.toml": text}).vendor().status == 0


def test_two_files_that_disagree(stubborn: Workshop) -> None:
    one = '[zqx-env]\nenv = {ZQX_SYSTEM_LIB = "1"}\n'
    stubborn.write({"build-settings.toml": one, "app/build-settings.toml": f"{one.replace('1', '0')}"})
    error, _ = stubborn.vendor().error
    assert error == (
        "app/build-settings.toml:1: zqx-env: ZQX_SYSTEM_LIB has another value than at build-settings.toml:1"
    )
    assert stubborn.write({"app/build-settings.toml": one}).vendor().status == 0


def test_a_table_for_one_version_adds_to_that_of_the_name_and_counts_before_it(
    stubborn: Workshop, index: LocalIndex
) -> None:
    text = """\
[zqx-env]
env = {ZQX_SYSTEM_LIB = "1", CFLAGS = "-DALL"}

["Zqx_Env==1.0.0"]
env = {CFLAGS = "-DONE", ZQX_MORE = "1"}

["zqx-env==2.0"]
env = {CFLAGS = "-DTWO"}
"""
    done = stubborn.write({"build-settings.toml": text}).vendor()
    assert done.status == 0, done.err
    assert done.err.count("nothing that is built is called") == 1
    assert "build-settings.toml:7: nothing that is built is called zqx-env==2.0" in done.err
    settings = stubborn.lock().find("zqx-env==1.0").settings
    assert settings.environment == (("CFLAGS", "-DONE"), ("ZQX_MORE", "1"), ("ZQX_SYSTEM_LIB", "1"))
    assert stubborn.run("check-vendor").status == 0
    assert stubborn.build().status == 0
    assert str(seen("zqx_env")["CFLAGS"]).endswith(" -DONE")
    # The next version has its own.
    sdists.publish(index, "zqx-env", "2.0", files=SOURCES)
    done = stubborn.vendor("--upgrade", "zqx-env")
    assert "build-settings.toml:4: nothing that is built is called zqx-env==1.0.0" in done.err
    settings = stubborn.lock().find("zqx-env==2.0").settings
    assert settings.environment == (("CFLAGS", "-DTWO"), ("ZQX_SYSTEM_LIB", "1"))
