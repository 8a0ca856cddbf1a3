"""`make add` and `make remove`: the file that a requirement belongs to is edited with vendor/, or nothing is."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from tests.integration.workshop import Done, Workshop, finish, wait_for


@pytest.fixture
def filled(shop: Workshop, index: LocalIndex) -> Workshop:
    """Return a project with two services, a library and things for developers, all vendored."""
    for name in ("flask", "idna", "requests", "zope.interface", "tool"):
        sdists.publish(index, name, "1.0")
        sdists.publish(index, name, "2.0", requires=["late; extra == 'more'"])
    sdists.publish(index, "late", "1.0")
    shop.service("app", "# of the web", "flask<2  # for ever", "", "requests")
    assert shop.vendor().status == 0
    return shop


def everything(shop: Workshop) -> dict[str, bytes]:
    """Return every file of the project by its path."""
    return {str(path): path.read_bytes() for path in shop.root.rglob("*") if path.is_file()}


def text(shop: Workshop, name: str = "app/requirements.txt") -> str:
    return (shop.root / name).read_text()


def refused(shop: Workshop, *words: str) -> tuple[str, str]:
    before = everything(shop)
    said = shop.run(*words).error
    assert everything(shop) == before
    assert shop.leftovers() == []
    return said


def done(found: Done) -> list[str]:
    assert found.status == 0, found.err
    return [line.strip() for line in found.out.splitlines()]


def test_requirements_are_added_where_they_belong_and_vendored(filled: Workshop) -> None:
    (filled.root / "app" / "requirements.txt").chmod(0o640)
    told = done(filled.run("add", "Idna >= 1, <3  zope.interface[more]==2.0; python_version >= '3.11'"))
    assert text(filled) == (
        "# of the web\nflask<2  # for ever\nIdna >= 1, <3\n\nrequests\n"
        "zope.interface[more]==2.0; python_version >= '3.11'\n"
    )
    assert "EDIT    add app/requirements.txt:3: Idna >= 1, <3" in told
    assert filled.keys() == ["flask==1.0", "idna==2.0", "late==1.0", "requests==2.0", "zope-interface==2.0"]
    assert filled.run("check-vendor").status == 0
    assert stat.S_IMODE((filled.root / "app" / "requirements.txt").stat().st_mode) == 0o640
    assert done(filled.vendor()) == ["VENDOR  vendor/ is up to date"]


def test_requirements_are_removed_with_what_they_alone_need(filled: Workshop) -> None:
    told = done(filled.run("remove", "Flask"))
    assert text(filled) == "# of the web\n\nrequests\n"
    assert "EDIT    remove app/requirements.txt:2: flask<2" in told and "- flask 1.0" in told
    assert filled.keys() == ["requests==2.0"]


def test_a_line_gives_way_to_one_of_other_versions_and_not_to_one_without(filled: Workshop) -> None:
    said, hint = refused(filled, "add", "flask[more]")
    assert said == "app/requirements.txt:2: flask is there already: `flask<2`" and "`flask[more]<2`" in hint
    said, hint = refused(filled, "add", "requests; python_version > '3'")
    assert hint.endswith("""`requests>=0; python_version > "3"`""")
    told = done(filled.run("add", "flask>=2"))
    assert "EDIT    remove app/requirements.txt:2: flask<2" in told
    assert "EDIT    add app/requirements.txt:2: flask>=2" in told
    assert text(filled) == "# of the web\nflask>=2  # for ever\n\nrequests\n"
    assert filled.keys() == ["flask==2.0", "requests==2.0"]


def test_what_is_there_already_is_said_and_changes_nothing(filled: Workshop) -> None:
    before = everything(filled)
    told = done(filled.run("add", "FLASK requests"))
    assert told == [
        "app/requirements.txt:2: flask is there already: `flask<2`",
        "app/requirements.txt:4: requests is there already: `requests`",
        "VENDOR  vendor/ is up to date",
    ]
    assert everything(filled) == before
    done(filled.run("add", "flask idna"))
    assert filled.keys() == ["flask==1.0", "idna==2.0", "requests==2.0"]


def test_a_dry_run_shows_what_would_be_and_edits_nothing(filled: Workshop) -> None:
    before = everything(filled)
    told = done(filled.run("add", "idna", "flask>1", "--dry-run"))
    assert "WOULD   remove app/requirements.txt:2: flask<2" in told
    assert "WOULD   add app/requirements.txt:3: idna" in told
    assert "+ idna 2.0" in told and "* flask 1.0 -> 2.0" in told
    assert everything(filled) == before


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["add", "nowhere"], "app/requirements.txt:3: no distribution `nowhere`"),
        (["add", "idna==9"], "app/requirements.txt:3: no version satisfies `idna==9`"),
        (["add", "idna=1"], "NAME: not a requirement: `idna=1`"),
        (["add", "idna", "git+https://host/x"], "NAME: a version control URL: `git+https://host/x`"),
        (["add", "-r other.txt"], "NAME: "),
        (["add", "idna; os_name == 'a\x1bb'"], "NAME: no requirement: `idna; os_name"),
        (["add", "./lib"], "NAME: no requirement: `./lib`"),
        (["add", "idna @ https://me:secret@host/idna-1.0.tar.gz"], "NAME: a user name or a password, which"),
        (["add", "app"], "NAME: app is the package itself"),
        (["remove", "late"], "NAME: no line of the requirements of app/ names late"),
        (["remove", "flask nowhere"], "NAME: no line of the requirements of app/ names nowhere"),
        (["remove", "flask<2"], "NAME: no name of a distribution: `flask<2`"),
        (["add", "idna", "--service", "ap"], "SERVICE=ap: there is no such package"),
        (["add", "idna", "--dev"], "app/dev-requirements.txt: there is no such file"),
    ],
)
def test_what_cannot_be_done_leaves_everything_as_it_was(filled: Workshop, options: list[str], what: str) -> None:
    said, hint = refused(filled, *options)
    assert said.startswith(what)
    assert hint


def test_of_several_services_one_has_to_be_named(filled: Workshop, index: LocalIndex) -> None:
    filled.service("other_one", "flask").package("lib").write({"lib/requirements.txt": "tool\n"})
    assert filled.vendor().status == 0
    said, hint = refused(filled, "add", "idna")
    assert said == "NAME=idna: of which package? There are app, other-one" and "SERVICE=app" in hint
    assert refused(filled, "remove", "flask")[0] == "NAME=flask: of which package? There are app, other-one"
    said, hint = refused(filled, "remove", "late")
    assert said == "NAME: no line of the requirements of any package names late" and "make why NAME=late" in hint
    for name in ("other-one", "other_one", "other_one/"):
        done(filled.run("add", "idna", "--service", name))
        assert text(filled, "other_one/requirements.txt") == "flask\nidna\n"
        done(filled.run("remove", "idna"))
        assert text(filled, "other_one/requirements.txt") == "flask\n"
    done(filled.run("add", "lib", "--service", "app"))
    done(filled.run("add", "idna", "--service", "lib"))
    assert text(filled, "lib/requirements.txt") == "idna\ntool\n"
    assert filled.keys("app") == ["flask==1.0", "idna==2.0", "requests==2.0", "tool==2.0"]


def test_what_developers_need_goes_into_their_file(filled: Workshop) -> None:
    filled.write({"dev-requirements.txt": "idna\n"})
    done(filled.run("add", "tool", "--dev"))
    assert text(filled, "dev-requirements.txt") == "idna\ntool\n"
    assert filled.dev_keys() == ["idna==2.0", "tool==2.0"]
    filled.write({"app/dev-requirements.txt": ""})
    done(filled.run("remove", "tool", "--dev"))
    done(filled.run("add", "zope.interface", "--dev"))
    assert text(filled, "dev-requirements.txt") == "idna\n"
    assert text(filled, "app/dev-requirements.txt") == "zope.interface\n"
    assert text(filled).endswith("requests\n")


def test_a_line_of_an_included_file_is_removed_there(filled: Workshop) -> None:
    filled.write({"shared/web.txt": "idna\nflask\n", "app/requirements.txt": "-r ../shared/web.txt\nrequests\n"})
    done(filled.run("add", "idna<2"))
    assert (text(filled, "shared/web.txt"), text(filled)) == ("flask\n", "-r ../shared/web.txt\nidna<2\nrequests\n")
    done(filled.run("remove", "idna"))
    assert text(filled, "shared/web.txt") == "flask\n"


def test_dependencies_of_a_pyproject_are_edited_there(filled: Workshop) -> None:
    (filled.root / "app" / "requirements.txt").unlink()
    path = filled.root / "app" / "pyproject.toml"
    before = (
        path.read_text() + '\ndependencies = [\n    "flask<2",  # for ever\n]\n\n[dependency-groups]\ndev = ["tool"]\n'
    )
    path.write_text(before)
    told = done(filled.run("add", "idna[more]; python_version >= '3.11'"))
    added = before.replace("# for ever\n", "# for ever\n    \"idna[more]; python_version >= '3.11'\",\n")
    assert path.read_text() == added
    line = added.splitlines().index("    \"idna[more]; python_version >= '3.11'\",") + 1
    assert f"EDIT    add app/pyproject.toml:{line}: idna[more]; python_version >= '3.11'" in told
    assert filled.keys() == ["flask==1.0", "idna==2.0", "late==1.0"]
    done(filled.run("add", "zope.interface", "--dev"))
    assert path.read_text() == added.replace('["tool"]', '["tool", "zope.interface"]')
    done(filled.run("remove", "flask"))
    assert '    "flask<2",  # for ever\n' not in path.read_text()
    assert filled.keys() == ["idna==2.0", "late==1.0"]
    assert "requirements.txt:1" not in text(filled, "app/pyproject.toml")


def test_an_array_that_is_written_otherwise_and_code_are_refused_with_their_line(filled: Workshop) -> None:
    (filled.root / "app" / "requirements.txt").unlink()
    path = filled.root / "app" / "pyproject.toml"
    old = path.read_text()
    path.write_text(old.replace("[project]", "[project]\ndependencies = [ 'flask' , '''idna''' ]"))
    assert refused(filled, "remove", "nothing")[0].startswith("NAME: no line")
    path.write_text(
        old[: old.index("[project]")] + 'project = {name = "app", version = "1.0", dependencies = ["flask"]}\n'
    )
    if old.index("[project]"):
        path.write_text(
            f'project = {{name = "app", version = "1.0", dependencies = ["flask"]}}\n{old[: old.index("[project]")]}'
        )
    said, hint = refused(filled, "add", "idna")
    assert said == "app/pyproject.toml: dependencies is written in a way that is not edited here"
    assert hint == "add `idna` by hand"
    said, hint = refused(filled, "remove", "flask")
    assert said == "app/pyproject.toml:1: dependencies is written in a way that is not edited here"
    path.write_text(old.replace("[project]", '[project]\ndynamic = ["dependencies"]'))
    filled.write({"app/setup.py": 'from setuptools import setup\nsetup(install_requires=["flask"])\n'})
    assert refused(filled, "add", "idna")[0].startswith("app/setup.py:2: its requirements stand here")


def test_the_development_environment_of_the_project_follows(
    filled: Workshop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WORKON_HOME", str(tmp_path / "envs"))
    # Who has none gets none.
    assert not any("READY" in line for line in done(filled.run("add", "zope.interface")))
    assert done(filled.develop())[-2].startswith("READY")
    told = done(filled.run("add", "idna"))
    assert "ADD     idna 2.0" in told and told[-1].startswith("READY") and "up to date" not in told[-1]
    assert "REMOVE  idna 2.0" in done(filled.run("remove", "idna"))
    assert not any("READY" in line for line in done(filled.run("add", "idna", "--dry-run")))
    behind = "the development environment is behind: `./create-virtual-environment` brings it up to date"
    filled.write({"app/requirements.txt": "flask\nrequests\nzope.interface\n"})
    assert done(filled.vendor("--upgrade", "flask"))[-1] == behind
    assert behind not in done(filled.vendor())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_everything_as_it_was(filled: Workshop, index: LocalIndex, number: int) -> None:
    before = everything(filled)
    index.fails("/files/idna-2.0.tar.gz", "hang", seconds=30)
    process = filled.start("add", "idna", "flask>1")
    wait_for(lambda: index.requests["/files/idna-2.0.tar.gz"])
    assert finish(process, number).status == 130
    assert everything(filled) == before
    assert filled.leftovers() == []


def test_a_vendor_that_cannot_be_replaced_leaves_everything_as_it_was(
    filled: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolkit.core import directories

    def fail(staged: Path, target: Path) -> None:
        assert "idna" in text(filled)
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(directories, "replace", fail)
    assert refused(filled, "add", "idna", "flask>1")


def test_a_file_that_is_edited_meanwhile_is_not_overwritten(filled: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    from toolkit.vendoring import vendor

    plan = vendor.plan

    def late(*arguments: object, **options: object) -> object:
        found = plan(*arguments, **options)  # type: ignore[arg-type]
        filled.write({"app/requirements.txt": "requests\n"})
        return found

    monkeypatch.setattr(vendor, "plan", late)
    vendored = filled.vendored()
    assert (
        filled.run("add", "idna").error[0].endswith("app/requirements.txt: it was changed while versions were chosen")
    )
    assert (text(filled), filled.vendored()) == ("requests\n", vendored)
