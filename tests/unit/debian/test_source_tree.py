from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.conftest import Workspace
from tests.unit.locks import distribution, lock_of
from toolkit.core.deb822 import Paragraph
from toolkit.core.errors import UserError
from toolkit.debian import source_tree
from toolkit.model.lock import Patch
from toolkit.project.changelog import Entry
from toolkit.project.debian_control import Control
from toolkit.vendored import lock_file
from toolkit.vendoring import lock_writer


def git(directory: Path, *words: str) -> None:
    options = ["-c", "user.name=A", "-c", "user.email=a@b.example", "-c", "protocol.file.allow=always"]
    subprocess.run(["git", *options, "-C", directory, *words], check=True, capture_output=True)


def commit(directory: Path) -> None:
    if not (directory / ".git").exists():
        git(directory, "init", "--quiet")
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--message", "x")


TOOLKIT = {
    "project.mk": "all:\n",
    "scripts/deb.py": "",
    "scripts/toolkit/core/console.py": "",
    "yc_common/__init__.py": "",
    "setup.py": "",
    "requirements.txt": "",
    "requirements-http.txt": "",
    "tests/test_x.py": "",
    "docs/guide.md": "",
    "tox.ini": "",
    "vendor/pylock.yc-common.toml": "",
}
OWN = {
    "debian/control": "",
    "debian/changelog": "",
    "debian/rules": "",
    ".gitignore": "/build/\n/dist/\n*.pyc\n",
    "README.md": "",
}


@pytest.fixture
def project(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Return a committed project with a service, and the toolkit as its submodule."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    Workspace(tmp_path / "toolkit").write(TOOLKIT)
    commit(tmp_path / "toolkit")
    workspace.write(OWN).service("my_service", "my-service", "flask\n")
    git(workspace.root, "init", "--quiet")
    git(workspace.root, "submodule", "--quiet", "add", str(tmp_path / "toolkit"), "common")
    (workspace.root / "Makefile").symlink_to("common/project.mk")
    (workspace.root / "vendor").mkdir()
    _write_lock(workspace, {"my_service/requirements.txt": "1234", "my_service/vendor.txt": "", "setting:x": "y"})
    commit(workspace.root)
    return workspace


def _write_lock(workspace: Workspace, inputs: dict[str, str]) -> None:
    pytest.importorskip("tomli_w")
    path = lock_file.path_of(workspace.root / "vendor", "my-service")
    lock_writer.write(path, lock_of(service="my-service", inputs=inputs))


def packaging(workspace: Workspace) -> Control:
    source = Paragraph(fields={}, line=1)
    path = workspace.root / "debian/control"
    entry = Entry(path=path.with_name("changelog"), version="1.0", line=1, last=(1, ""))
    return Control(path=path, source=source, binaries={}, changelog=entry, format="3.0 (native)")


def exported(workspace: Workspace) -> list[str]:
    return source_tree.list_files(workspace.discover(packages="my_service"), workspace.settings(), packaging(workspace))


def export(workspace: Workspace, target: Path) -> int:
    return source_tree.export(
        workspace.discover(packages="my_service"), workspace.settings(), packaging(workspace), target
    )


def test_takes_what_git_tracks_and_of_the_toolkit_what_a_build_needs(project: Workspace) -> None:
    assert exported(project) == [
        ".gitignore",
        ".gitmodules",
        "Makefile",
        "README.md",
        "common/project.mk",
        "common/requirements-http.txt",
        "common/requirements.txt",
        "common/scripts/deb.py",
        "common/scripts/toolkit/core/console.py",
        "common/setup.py",
        "common/yc_common/__init__.py",
        "debian/changelog",
        "debian/control",
        "debian/rules",
        "my_service/bin/yc-my-service",
        "my_service/requirements.txt",
        "my_service/setup.py",
        "vendor/pylock.my-service.toml",
    ]


def test_takes_the_content_of_the_work_tree_committed_or_not(project: Workspace, tmp_path: Path) -> None:
    project.write({"my_service/setup.py": "changed", "common/setup.py": "changed too"})
    export(project, tmp_path / "target")
    assert (tmp_path / "target/my_service/setup.py").read_text() == "changed"
    assert (tmp_path / "target/common/setup.py").read_text() == "changed too"


def test_keeps_links_and_execute_bits_and_nothing_else_of_the_modes(project: Workspace, tmp_path: Path) -> None:
    script = project.root / "my_service/bin/yc-my-service"
    script.chmod(0o700)
    (project.root / "my_service/setup.py").chmod(0o600)
    count = export(project, tmp_path / "target")
    assert count == len(exported(project))
    assert os.readlink(tmp_path / "target/Makefile") == "common/project.mk"
    assert (tmp_path / "target/my_service/bin/yc-my-service").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "target/my_service/setup.py").stat().st_mode & 0o777 == 0o644


def test_warns_of_files_that_are_not_in_git(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    project.write({"my_service/new.py": "", "my_service/other.py": "", "my_service/cache.pyc": "", "notes": ""})
    assert "my_service/new.py" not in exported(project)
    assert capsys.readouterr().err == (
        "warning: my_service/new.py and 1 more: not in git, so not in the package; `git add` or ignore it\n"
    )


def test_takes_vendor_as_it_was_checked_tracked_or_not(project: Workspace) -> None:
    project.write({"vendor/new-1.0.tar.gz": "", "vendor/README": ""})
    assert {"vendor/new-1.0.tar.gz", "vendor/README"} <= set(exported(project))


def test_leaves_out_what_is_tracked_but_gone(project: Workspace, tmp_path: Path) -> None:
    (project.root / "README.md").unlink()
    assert export(project, tmp_path / "target") == len(exported(project)) - 1


def test_leaves_out_the_vendor_directory_of_a_library(project: Workspace) -> None:
    project.write({"lib/vendor/pylock.lib.toml": "", "lib/vendor/a.tar.gz": "", "web/vendor/jquery.js": ""})
    commit(project.root)
    assert [path for path in exported(project) if "vendor/" in path] == [
        "vendor/pylock.my-service.toml",
        "web/vendor/jquery.js",
    ]


@pytest.mark.parametrize("name", ["debian/rules", "my_service/setup.py", "my_service/requirements.txt", "Makefile"])
def test_refuses_to_go_on_without_a_file_that_the_build_wants(project: Workspace, name: str, tmp_path: Path) -> None:
    git(project.root, "rm", "--quiet", "--cached", name)
    with pytest.raises(UserError, match=f"{name}: not in git") as caught:
        export(project, tmp_path / "target")
    assert caught.value.hint == f"`git add {name}`"
    assert not (tmp_path / "target").exists()


def test_what_the_rules_export_and_no_build_sees_is_told(
    project: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = (
        "#!/usr/bin/make -f\nexport DH_VERBOSE = 1\nexport PATH := x:$(PATH)\nexport SANDBOX = off\nexport CC=clang\n"
        "export SODIUM_INSTALL = system\nexport SETUPTOOLS_SCM_PRETEND_VERSION = 1.0\nexport ONE THAT\nexport SAID=1\n"
        "# export NOT\n%:\n\tdh $@\noverride_dh_auto_install: export FOR_THIS = 1\noverride_dh_auto_install:\n"
        "\texport ALSO=1; dh_auto_install\n"
    )
    project.write({"debian/rules": rules, "build-settings.toml": '[flask]\nenv = {SAID = "1"}\n'})
    export(project, tmp_path / "target")
    told = [line.split(" reaches ")[0] for line in capsys.readouterr().err.splitlines() if " reaches " in line]
    assert told == [
        "warning: debian/rules:6: SODIUM_INSTALL",
        "warning: debian/rules:8: ONE",
        "warning: debian/rules:8: THAT",
    ]


def test_patches_that_are_locked_have_to_be_in_git(project: Workspace, tmp_path: Path) -> None:
    item = replace(distribution("flask"), patches=(Patch(path="patches/flask/a.patch", sha256="0" * 64),))
    lock_writer.write(project.root / "vendor/pylock.my-service.toml", lock_of(item, service="my-service"))
    project.write({"patches/flask/a.patch": "", "patches/flask/series": "a.patch\n"})
    for name in ("a.patch", "series"):
        with pytest.raises(UserError, match=rf"patches/flask/{name}: not in git"):
            export(project, tmp_path / "target")
        git(project.root, "add", f"patches/flask/{name}")
    export(project, tmp_path / "target")
    assert (tmp_path / "target/patches/flask/series").is_file()


def test_refuses_a_toolkit_outside_of_the_project(project: Workspace, tmp_path: Path) -> None:
    settings = type(project.settings())(project=project.root, toolkit=tmp_path / "toolkit")
    with pytest.raises(UserError, match="outside of the project"):
        source_tree.list_files(project.discover(packages="my_service"), settings, packaging(project))


def test_takes_everything_where_there_is_no_git(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    (project.root / ".git").rename(project.root.parent / "gone")
    (project.root / "common/.git").unlink()
    project.write({"build/x": "", "dist/x": "", "my_service/x.egg-info/PKG-INFO": "", "my_service/untracked.py": ""})
    project.write({"common/scripts/toolkit/build/__init__.py": ""})
    found = exported(project)
    assert "common/scripts/toolkit/build/__init__.py" in found
    assert "my_service/untracked.py" in found
    assert "Makefile" in found
    assert not [path for path in found if "egg-info" in path or path.startswith(("build/", "dist/"))]
    assert "not a git repository" in capsys.readouterr().err
