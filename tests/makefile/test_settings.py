"""How settings reach the verbs, and what a wrong one gets."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.makefile.project import TOOLKIT, VERBS, Project, parse
from tests.torture.backends import LIMITS
from toolkit.network import index_options
from toolkit.project import settings


@pytest.mark.parametrize("value", ["two words", "it's quoted", 'say "no"', "a,b;c", "*", "a=b c=d", "back\\slash", "#"])
def test_a_value_reaches_the_verb_as_it_is(project: Project, value: str) -> None:
    done = project.make("build", f"PYTHON={value}")
    assert parse("build", project.calls()["build"]).python == value
    assert done.stderr == ""


def test_every_setting_of_vendor_reaches_it(project: Project) -> None:
    project.make(
        "vendor",
        "RESOLVER=pip-tools",
        "UPGRADE=all",
        "FROM=a b/uv.lock",
        "EXCLUDE_NEWER=2026-11-01",
        "PLATFORMS=linux darwin",
        "JOBS=3",
        "WHEEL_STORE=/store",
        "DRY_RUN=1",
        "NAMESPACE=acme",
        "PACKAGES=one two",
        "SERVICES=three",
    )
    parsed = vars(parse("vendor", project.calls()["vendor"]))
    assert (
        parsed.items()
        >= {
            "resolver": "pip-tools",
            "upgrade": ("all",),
            "adopted": Path("a b/uv.lock"),
            "exclude_newer": "2026-11-01",
            "platforms": ("linux", "darwin"),
            "dry_run": True,
            "namespace": "acme",
            "packages": "one two",
            "services": "three",
            "jobs": 3,
            "wheel_store": "/store",
        }.items()
    )


@pytest.mark.parametrize("verb", ["add", "remove"])
def test_every_setting_of_a_change_reaches_it(project: Project, verb: str) -> None:
    project.make(verb, "NAME=httpx[http2]>=1; python_version >= '3.11'", "SERVICE=api", "DEV=1", "APT=1", "DRY_RUN=1")
    parsed = vars(parse(verb, project.calls()[verb]))
    assert parsed["name"] == "httpx[http2]>=1; python_version >= '3.11'"
    assert (parsed["service"], parsed["dev"], parsed["apt"], parsed["dry_run"]) == ("api", True, True, True)


SETTINGS = re.findall(r"^([A-Z][A-Z0-9_]*) \?=", (TOOLKIT / "project.mk").read_text(), re.MULTILINE)


def told(project: Project, *words: str, **environment: str) -> dict[str, str]:
    """Return what each setting is."""
    done = project.make("info", *words, check=True, **environment)
    assert done.stderr == ""
    lines = project.secrets()["SETTINGS_TO_SHOW"].splitlines()
    return dict(line.lstrip().split("=", 1) for line in lines if "=" in line)


def test_in_the_environment_a_setting_has_the_toolkits_prefix(project: Project) -> None:
    # What others export under these names is theirs.
    words = {name: "of somebody else" for name in SETTINGS if "_" not in name and name not in ("V", "DESTDIR")}
    usual, python = told(project), {"PYTHON_COMMON_PYTHON3": sys.executable}
    assert told(project, **words) == usual
    values = {f"PYTHON_COMMON_{name}": f"$a {name} #" for name in SETTINGS if name not in ("V", "PYTHON3")}
    found = told(project, **words, **values, **python)
    assert found == {
        **usual,
        **{name: f"$a {name} #" for name in SETTINGS if name not in ("V", "PYTHON3")},
        "PYTHON3": sys.executable,
    }
    assert told(project, "JOBS=3", PYTHON_COMMON_JOBS="4")["JOBS"] == "3"


def test_a_name_that_is_the_toolkits_alone_is_warned_of_where_it_would_count(project: Project) -> None:
    warned = "warning: EXCLUDE_NEWER in the environment has no effect: there it is called PYTHON_COMMON_EXCLUDE_NEWER\n"
    assert project.make("vendor", EXCLUDE_NEWER="7d").stderr == warned
    assert project.make("vendor", "EXCLUDE_NEWER=8d", EXCLUDE_NEWER="7d").stderr == ""
    assert project.make("build", EXCLUDE_NEWER="7d").stderr == ""
    assert parse("vendor", project.calls()["vendor"]).exclude_newer.endswith("Z")


def test_a_makefile_of_the_projects_own_may_take_a_setting_from_the_environment(project: Project) -> None:
    (project.root / "Makefile").unlink()
    (project.root / "Makefile").write_text("NAMESPACE ?= acme\nJOBS = 3\ninclude common/project.mk\n")
    assert told(project)["NAMESPACE"] == "acme"
    assert told(project, NAMESPACE="other")["NAMESPACE"] == "other"
    assert told(project, PYTHON_COMMON_NAMESPACE="third", PYTHON_COMMON_JOBS="4")["NAMESPACE"] == "third"
    assert told(project, PYTHON_COMMON_JOBS="4")["JOBS"] == "3"


def test_an_error_names_a_setting_that_comes_from_the_environment(project: Project) -> None:
    done = project.make("build", check=False, REAL_VERB="build", PYTHON_COMMON_JOBS="abc")
    assert done.stderr.splitlines()[:2] == [
        "error: JOBS=abc: not a number of jobs",
        " hint: write 1 or more: JOBS=4; from the environment: PYTHON_COMMON_JOBS=abc",
    ]
    done = project.make("build", "JOBS=abc", check=False, REAL_VERB="build")
    assert done.stderr.splitlines()[1] == " hint: write 1 or more: JOBS=4"


FLAGS = ("APT", "DEV", "DRY_RUN", "INVERT", "JSON", "ONLINE", "STRICT", "TRIAL", "YES")


@pytest.mark.parametrize("name", FLAGS)
def test_every_setting_that_is_a_yes_or_a_no_takes_the_same_words(project: Project, name: str) -> None:
    verb = next(verb for verb in VERBS if name in told_readers()[verb])
    for value, is_yes in {
        **dict.fromkeys(("1", "yes", "True", "on"), True),
        **dict.fromkeys(("0", "no", "FALSE", "off", ""), False),
    }.items():
        project.make(verb, f"{name}={value}")
        assert getattr(parse(verb, project.calls()[verb]), name.lower()) is is_yes
    done = project.make(verb, f"{name}=perhaps", check=False, REAL_VERB=verb)
    assert done.stderr.splitlines()[:2] == [
        f"error: {name}=perhaps: neither a yes nor a no",
        f" hint: write 1 or 0 (yes or no): {name}=1",
    ]


def told_readers() -> dict[str, list[str]]:
    """Return the settings that each verb names itself."""
    text = (TOOLKIT / "project.mk").read_text()
    return {
        "info": [],
        **{verb: words.split() for verb, words in re.findall(r"^reads_([a-z-]+) =(.*)$", text, re.MULTILINE)},
    }


@pytest.mark.parametrize("target", ["vendor", "outdated", "info", "build"])
@pytest.mark.parametrize("how", ["command line", "environment", "makefile"])
def test_an_index_with_a_password_is_in_the_environment_and_never_on_a_command_line(
    project: Project, target: str, how: str
) -> None:
    urls = {"INDEX_URL": "https://me:secret@one.example", "EXTRA_INDEX_URL": "https://me:secret@two.example"}
    lines = [f"{name}={value}" for name, value in urls.items()]
    if how == "makefile":
        (project.root / "Makefile").unlink()
        (project.root / "Makefile").write_text("\n".join([*lines, "include common/project.mk\n"]))
    words, environment = (lines if how == "command line" else []), (urls if how == "environment" else {})
    done = project.make(target, "V=2", *words, check=True, **environment)
    assert project.secrets().items() >= urls.items()
    assert "secret" not in str(project.calls()) + done.stdout + done.stderr


def test_the_index_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INDEX_URL", "https://one.example")
    monkeypatch.setenv("EXTRA_INDEX_URL", "https://two.example")
    found = index_options.from_arguments(parse("vendor", []))
    assert (found.index_url, found.extra_index_urls) == ("https://one.example", ("https://two.example",))


@pytest.mark.parametrize(
    ("verb", "word", "what"),
    [
        ("build", "JOBS=abc", "JOBS=abc: not a number of jobs"),
        ("build", "JOBS=0", "JOBS=0: not a number of jobs"),
        ("build", "V=3", "V=3: no such verbosity"),
        ("vendor", "RESOLVER=pip", "RESOLVER=pip: no such resolver"),
        ("vendor", "PLATFORMS=linux,windoze", "PLATFORMS=linux,windoze: not names of systems"),
        ("vendor", "PLATFORMS=,", "PLATFORMS=,: not names of systems"),
        ("deb", "NAMESPACE=Acme", "NAMESPACE=Acme: not the beginning of a package's name"),
        ("install", "NAMESPACE=../../etc", "NAMESPACE=../../etc: not the beginning of a package's name"),
        ("chroot", "CHROOT_MAX_AGE=week", "CHROOT_MAX_AGE=week: not a number of days"),
        ("stand", "STAND_PORT=ssh", "STAND_PORT=ssh: not a port"),
        ("stand", "STAND_PORT=70000", "STAND_PORT=70000: not a port"),
        ("stand", "STAND=cloud", "STAND=cloud: no such stand"),
        ("stand", "STAND_MODE=x", "STAND_MODE=x: no such mode"),
        ("check-deb", "BOOT=maybe", "BOOT=maybe: no such way"),
    ],
)
def test_a_wrong_value_is_one_line_what_and_one_line_hint(project: Project, verb: str, word: str, what: str) -> None:
    done = project.make(verb, word, check=False, REAL_VERB=verb)
    error, hint, *_ = done.stderr.splitlines()
    assert error == f"error: {what}"
    assert hint.startswith(" hint: write ")
    assert "Error 1" in done.stderr


@pytest.mark.parametrize("target", ["build", "install", "deb", "test"])
def test_every_setting_of_a_build_reaches_the_verbs_that_build(project: Project, target: str) -> None:
    project.make(target, "JOBS=3", "WHEEL_STORE=/a store", "PYTHON=/usr/bin/python3.11")
    [(verb, words)] = project.calls().items()
    parsed = parse(verb, words)
    assert (parsed.jobs, parsed.wheel_store, parsed.python) == (3, "/a store", "/usr/bin/python3.11")


def test_the_destination_reaches_install(project: Project) -> None:
    project.make("install", "DESTDIR=/a root")
    assert str(parse("install", project.calls()["install"]).destdir) == "/a root"


def test_a_destination_is_a_path_and_no_makefile(project: Project) -> None:
    project.make("install", "DESTDIR=/only$(HOME)$$x#1")
    assert str(parse("install", project.calls()["install"]).destdir) == "/only$(HOME)$$x#1"


def test_the_environment_sets_what_the_command_line_does_not(project: Project) -> None:
    project.make("build", "JOBS=2", PYTHON_COMMON_JOBS="7", PYTHON_COMMON_WHEEL_STORE="/store")
    parsed = parse("build", project.calls()["build"])
    assert (parsed.jobs, parsed.wheel_store) == (2, "/store")


def test_the_wheel_store_is_the_default_one_unless_set(project: Project) -> None:
    project.make("build")
    assert parse("build", project.calls()["build"]).wheel_store == "default"


@pytest.mark.parametrize("how", ["command line", "environment"])
def test_an_empty_wheel_store_is_none(project: Project, how: str) -> None:
    if how == "environment":
        project.make("build", PYTHON_COMMON_WHEEL_STORE="")
    else:
        project.make("build", "WHEEL_STORE=")
    assert parse("build", project.calls()["build"]).wheel_store == ""


def test_the_limits_by_which_torture_attacks_builds_reach_them(project: Project) -> None:
    """At the default ones an attack is harmless that is to be seen."""
    project.make("build", check=True, **LIMITS)
    given, default = parse("build", project.calls()["build"]), parse("build", [])
    names = [name.removeprefix(settings.IN_ENVIRONMENT).lower() for name in LIMITS]
    assert len(names) == 5
    assert all(getattr(given, name) < getattr(default, name) for name in names)


@pytest.mark.parametrize("verb", sorted({*VERBS} - {"info", "install"}))
def test_a_verb_that_is_called_without_make_has_the_same_defaults(project: Project, verb: str) -> None:
    project.make(verb)
    called, bare = vars(parse(verb, project.calls()[verb])), vars(parse(verb, []))
    assert called | {"project": ""} == bare | {"project": ""}


def test_info_is_told_every_setting(project: Project) -> None:
    (project.root / "Makefile").unlink()
    (project.root / "Makefile").write_text("DB_PASSWORD ?=\ninclude common/project.mk\n")
    done = project.make("info", "UPGRADE=all", DB_PASSWORD="it's $$ecret")
    told = dict(line.lstrip().split("=", 1) for line in project.secrets()["SETTINGS_TO_SHOW"].splitlines())
    assert told["UPGRADE"] == "all"
    assert told["DB_PASSWORD"] == "it's $ecret"
    assert "ecret" not in str(project.calls())
    assert told["WHEEL_STORE"] == "default"
    assert told.keys() >= {"NAMESPACE", "RESOLVER", "JOBS", "PYTHON3", "DESTDIR", "V"}
    assert done.stderr == ""


@pytest.mark.parametrize(("verbosity", "is_shown"), [("0", False), ("1", False), ("2", True)])
def test_verbosity_shows_the_command(project: Project, verbosity: str, is_shown: bool) -> None:
    done = project.make("build", f"V={verbosity}")
    assert ("verb.py" in done.stdout) is is_shown
    assert parse("build", project.calls()["build"]).verbosity == int(verbosity)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("UPGARDE=all", "UPGRADE"),
        ("WHEELSTORE=", "WHEEL_STORE"),
        ("jobs=2", "JOBS"),
        ("RESOLVE=uv", "RESOLVER"),
        ("INDEX_URI=https://one.example", "INDEX_URL"),
        ("UPGARDE:=all", "UPGRADE"),
    ],
)
def test_a_misspelt_setting_is_an_error_that_names_the_right_one(project: Project, given: str, meant: str) -> None:
    done = project.make("vendor", given, check=False)
    assert done.returncode == 2
    assert f"did you mean {meant}?" in done.stderr
    assert project.verbs() == []


@pytest.mark.parametrize("given", ["ARCH=arm64", "arch=arm64", "DEB_HOST_ARCH=arm64", "CROSS_COMPILE=aarch64-"])
def test_another_architecture_is_refused(project: Project, given: str) -> None:
    done = project.make("sbuild", given, check=False)
    assert done.returncode == 2
    assert f"{given.partition('=')[0]}: packages are built for the architecture of this machine" in done.stderr
    assert project.verbs() == []


def test_a_setting_nobody_knows_is_warned_of(project: Project) -> None:
    done = project.make("build", "QUUX=1")
    assert "warning: QUUX has no effect: it is not a setting" in done.stderr
    assert project.verbs() == ["build"]


def test_a_makefile_may_be_in_any_encoding(project: Project) -> None:
    (project.root / "Makefile").unlink()
    text = "# Müller\nMUELLERS ?= 1\ninclude common/scripts/project.mk\n"
    (project.root / "Makefile").write_bytes(text.encode("latin-1"))
    assert project.make("build", "JOBS=2", "MUELLERS=2").stderr == ""
    assert "UPGRADE has no effect on build" in project.make("build", "UPGRADE=all").stderr


def test_a_setting_of_another_target_is_warned_of(project: Project) -> None:
    done = project.make("build", "UPGRADE=all", "EXCLUDE_NEWER=7d")
    assert "warning: UPGRADE has no effect on build: it is a setting of vendor" in done.stderr
    assert (
        "warning: EXCLUDE_NEWER has no effect on build: it is a setting of add, outdated, remove and vendor"
        in done.stderr
    )


def test_a_setting_of_one_of_several_targets_is_not_warned_of(project: Project) -> None:
    assert project.make("vendor", "deb", "UPGRADE=all", "JOBS=2", "DRY_RUN=1").stderr == ""


def test_a_setting_is_not_warned_of_when_a_target_of_the_projects_own_may_read_it(project: Project) -> None:
    (project.root / "Makefile").unlink()
    (project.root / "Makefile").write_text("include common/project.mk\nmine:\n\t@echo $(UPGRADE)\n")
    done = project.make("mine", "UPGRADE=all")
    assert (done.stdout, done.stderr) == ("all\n", "")


def test_suites_and_chroots_have_settings_of_their_own(project: Project) -> None:
    project.make("sbuild", "SUITES=bookworm trixie", "VERSION_SUFFIX=+deb{release}u1", "JOBS=3", "CHROOT_MAX_AGE=1")
    found = parse("sbuild", project.calls()["sbuild"])
    assert (found.suites, found.version_suffix) == ("bookworm trixie", "+deb{release}u1")
    assert (found.jobs, found.max_age) == (3, 1)
    project.make("chroot", "SUITE=trixie", "MIRROR=http://mirror.example/debian")
    found = parse("chroot", project.calls()["chroot"])
    assert (found.suite, found.mirror) == ("trixie", "http://mirror.example/debian")


def test_no_suffix_and_the_default_one_differ(project: Project) -> None:
    project.make("sbuild")
    assert parse("sbuild", project.calls()["sbuild"]).version_suffix == "~{suite}1"
    (project.root / "calls").unlink()
    project.make("sbuild", "VERSION_SUFFIX=")
    assert parse("sbuild", project.calls()["sbuild"]).version_suffix == ""


def test_a_setting_of_chroots_is_none_of_sbuilds(project: Project) -> None:
    warned = project.make("sbuild", "SUITE=trixie").stderr
    assert "SUITE has no effect on sbuild: it is a setting of box and chroot" in warned


def test_what_follows_why_are_names(project: Project) -> None:
    done = project.make("why", "flask", "Zope.Interface", "CHAINS=3")
    parsed = parse("why", project.calls()["why"])
    assert (parsed.name.split(), parsed.chains) == (["flask", "Zope.Interface"], 3)
    assert done.stdout + done.stderr == ""


def test_a_name_may_be_given_as_a_setting_too_and_the_environments_own_name_is_none(project: Project) -> None:
    project.make("why", "NAME=flask", "jinja2", NAME="a-host")
    assert parse("why", project.calls()["why"]).name.split() == ["flask", "jinja2"]
    (project.root / "calls").unlink()
    project.make("why", "jinja2", NAME="a-host")
    assert parse("why", project.calls()["why"]).name.split() == ["jinja2"]


@pytest.mark.parametrize("verb", ["add", "remove", "tree"])
def test_so_are_they_after_other_verbs_on_distributions(project: Project, verb: str) -> None:
    done = project.make(verb, "Zope.Interface", "NAME=flask")
    assert parse(verb, project.calls()[verb]).name.split() == ["flask", "Zope.Interface"]
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("word", ["idna>=3", "idna==3", "idna~=3.1", "idna[more]>=3"])
def test_a_version_after_the_target_is_refused_as_make_takes_it_for_a_setting(project: Project, word: str) -> None:
    done = project.make("add", "flask", word, check=False)
    assert "is not a setting: a requirement with a version is written NAME=" in done.stderr
    assert "syntax error" not in done.stderr
    assert project.verbs() == []


@pytest.mark.parametrize("word", ["idna>3", "idna<3", "it's", "a&b"])
def test_names_are_no_words_of_the_shell(project: Project, word: str) -> None:
    before = {path.name for path in project.root.iterdir()}
    # A setting has it looked at what is given.
    done = project.make("add", word, "SERVICE=api")
    assert done.stdout + done.stderr == ""
    assert parse("add", project.calls()["add"]).name.split() == [word]
    assert {path.name for path in project.root.iterdir()} - before == {"calls"}


@pytest.mark.parametrize("name", ["ADD", "REMOVE"])
def test_a_target_given_as_a_setting_is_an_error_that_says_so(project: Project, name: str) -> None:
    done = project.make("vendor", f"{name}=idna", check=False)
    assert f"{name} is not a setting, but a target: make {name.lower()} NAME=" in done.stderr
    assert done.returncode == 2 and project.verbs() == []


@pytest.mark.parametrize("words", [["flask"], ["wy", "flask"], ["build", "why", "flask"], ["build", "flask"]])
def test_only_what_follows_why_are_names(project: Project, words: list[str]) -> None:
    done = project.make(*words, check=False)
    assert "there is no such target" in done.stderr
    assert done.returncode == 2


def test_every_setting_of_outdated_reaches_it(project: Project) -> None:
    project.make("outdated", "JSON=1", "STRICT=1", "EXCLUDE_NEWER=2026-11-01")
    parsed = parse("outdated", project.calls()["outdated"])
    assert (parsed.json, parsed.strict, parsed.exclude_newer) == (True, True, "2026-11-01")


def test_a_target_after_why_stays_one(project: Project) -> None:
    project.make("why", "NAME=flask", "info")
    assert project.verbs() == ["why", "info"]


@pytest.mark.parametrize("words", [(), ("YES=",), ("YES=0",), ("YES=no",)])
def test_the_vendor_repository_is_trimmed_only_when_told_to(project: Project, words: tuple[str, ...]) -> None:
    project.make("trim-vendor", *words)
    chosen = parse("trim-vendor", project.calls()["trim-vendor"])
    assert (chosen.keep, chosen.yes) == (10, False)


def test_how_the_vendor_repository_is_trimmed_reaches_it(project: Project) -> None:
    project.make("trim-vendor", "KEEP=3", "YES=1")
    chosen = parse("trim-vendor", project.calls()["trim-vendor"])
    assert (chosen.keep, chosen.yes) == (3, True)
