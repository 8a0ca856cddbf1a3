"""Every difference between vendor/, its locks and what they were made from is found, and named with its mend."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration import sdists
from tests.unit.vendored_files import vendored, write_lock
from toolkit.core.errors import UserError
from toolkit.vendored import check, lock_file
from toolkit.vendoring import lock_writer
from toolkit.verbs import command_line

if TYPE_CHECKING:
    from tests.unit.conftest import Workspace


@pytest.fixture
def whole(workspace: Workspace) -> Workspace:
    """Return a project with a service, a library, and a vendor/ that fits them."""
    workspace.service("the_service", "svc", "flask\nlib\n").package("lib", "lib", requirements__txt="dep\n")
    write_lock(
        workspace,
        "the_service",
        vendored(workspace, "flask"),
        vendored(workspace, "dep"),
        build=(vendored(workspace, "setuptools"),),
    )
    return workspace


def problems(workspace: Workspace, *, hashes: bool = True) -> list[str]:
    found = check.problems(workspace.discover(), workspace.settings(), hashes=hashes)
    assert all(problem.hint for problem in found)
    return [problem.what for problem in found]


def test_a_whole_vendor_has_no_problems(whole: Workspace) -> None:
    assert problems(whole) == []
    check.require(whole.discover(), whole.settings())


def test_what_belongs_to_vendor_s_own_repository_is_fine(whole: Workspace) -> None:
    whole.write({f"vendor/{name}": "x" for name in ("README", "README.md", ".gitignore", ".gitattributes", ".git")})
    assert problems(whole) == []


def test_a_changed_byte(whole: Workspace) -> None:
    path = whole.root / "vendor" / "dep-1.tar.gz"
    path.write_bytes(path.read_bytes().replace(b"archive", b"Archive"))
    (what,) = problems(whole)
    assert what.startswith("vendor/dep-1.tar.gz: its sha256 is ")
    assert problems(whole, hashes=False) == []


def test_a_truncated_file(whole: Workspace) -> None:
    whole.write({"vendor/dep-1.tar.gz": "an"})
    assert problems(whole, hashes=False) == ["vendor/dep-1.tar.gz: has 2 bytes, the lock says 10"]


def test_missing_files_are_all_named(whole: Workspace) -> None:
    for name in ("dep", "setuptools"):
        (whole.root / "vendor" / f"{name}-1.tar.gz").unlink()
    assert problems(whole) == ["vendor/dep-1.tar.gz: missing", "vendor/setuptools-1.tar.gz: missing"]


def test_a_link_in_place_of_a_file(whole: Workspace) -> None:
    path = whole.root / "vendor" / "dep-1.tar.gz"
    path.rename(whole.root / "elsewhere")
    path.symlink_to(whole.root / "elsewhere")
    assert problems(whole) == ["vendor/dep-1.tar.gz: not a regular file"]


@pytest.mark.parametrize("name", ["evil-1.tar.gz", ".DS_Store", "directory/file"])
def test_what_no_lock_lists(whole: Workspace, name: str) -> None:
    whole.write({f"vendor/{name}": "x"})
    assert problems(whole) == [f"vendor/{name.split('/')[0]}: no lock lists it"]


def test_the_lock_of_a_service_that_is_gone(whole: Workspace) -> None:
    whole.write({"vendor/pylock.old.toml": ""})
    assert problems(whole) == ["vendor/pylock.old.toml: no service of this project has this lock"]


def test_stale_inputs_are_named(whole: Workspace) -> None:
    whole.write({"the_service/requirements.txt": "flask>2\nlib\n", "lib/vendor.txt": "dep\n"})
    assert problems(whole) == [
        "lib/vendor.txt: appeared since vendor/pylock.the-service.toml was made",
        "the_service/requirements.txt: changed since vendor/pylock.the-service.toml was made",
    ]


def test_a_file_that_two_locks_were_made_from_is_named_once(whole: Workspace) -> None:
    whole.service("second", "second", "lib\n")
    write_lock(whole, "second", vendored(whole, "dep"))
    assert problems(whole) == []
    whole.write({"lib/requirements.txt": "dep>1\n"})
    assert problems(whole) == [
        "lib/requirements.txt: changed since vendor/pylock.second.toml, vendor/pylock.the-service.toml were made"
    ]


def test_two_locks_that_want_different_files_of_one_name(whole: Workspace) -> None:
    whole.service("second", "second", "lib\n")
    write_lock(whole, "second", vendored(whole, "dep", b"other data"))
    assert "vendor/dep-1.tar.gz: pylock.second.toml and pylock.the-service.toml want different files" in problems(whole)


def test_a_new_service_has_no_lock_and_unlisted_files_are_not_guessed(whole: Workspace) -> None:
    whole.service("second", "second").write({"vendor/for-second.zip": "x"})
    assert problems(whole) == ["vendor/pylock.second.toml: there is no lock"]


@pytest.mark.parametrize("text", ["<<<<<<< ours\n", "lock-version = '1.0'\n", "lock-version = '2.0'\n", "\xff"])
def test_an_unreadable_lock(whole: Workspace, text: str) -> None:
    (whole.root / "vendor" / "pylock.the-service.toml").write_text(text, encoding="latin-1")
    (what,) = problems(whole)
    assert what.startswith("vendor/pylock.the-service.toml: not a ")


def test_a_lock_that_leaves_vendor_is_refused(whole: Workspace) -> None:
    path = whole.root / "vendor" / "pylock.the-service.toml"
    path.write_text(path.read_text().replace('path = "dep-1.tar.gz"', 'path = "../dep-1.tar.gz"'))
    (what,) = problems(whole)
    assert "leaves vendor/" in what


def test_a_local_package_with_the_name_of_a_locked_distribution(whole: Workspace) -> None:
    """Its lock took the name from the index: the new package must not be passed over in silence."""
    whole.package("mine", "Flask").package("tools", "SetupTools")
    assert [what.removeprefix("vendor/pylock.the-service.toml: ") for what in problems(whole)] == [
        "flask is locked as a package of the index, but mine/ is the package of that name",
        "setuptools is locked as a package of the index, but tools/ is the package of that name",
    ]


def test_a_library_that_moved_or_went(whole: Workspace) -> None:
    (whole.root / "lib").rename(whole.root / "moved")
    whole.write({"lib/requirements.txt": "dep\n"})
    moved = "vendor/pylock.the-service.toml: the local package lib was in lib/, now "
    assert problems(whole) == [f"{moved}it is in moved/"]
    shutil.rmtree(whole.root / "moved")
    assert problems(whole) == [f"{moved}there is no such package"]


def test_another_library_makes_no_lock_stale(whole: Workspace) -> None:
    assert problems(whole.package("another", "another")) == []


@pytest.mark.parametrize("make", [True, False])
def test_an_empty_vendor(workspace: Workspace, make: bool) -> None:
    workspace.service("svc", "svc").write({"vendor/": ""} if make else {})
    assert problems(workspace) == ["vendor/: there is nothing in it"]


def test_without_services_the_libraries_are_checked(workspace: Workspace) -> None:
    workspace.package("lib", "My_Lib", requirements__txt="dep\n")
    written = write_lock(workspace, "lib", vendored(workspace, "dep"))
    path = lock_file.path_of(workspace.root / "vendor", written.service)
    path.unlink()
    lock_writer.write(lock_file.path_of(workspace.root / "vendor", "my-lib"), replace(written, service="my-lib"))
    assert problems(workspace) == []


def test_require_says_the_first_problem_and_shows_the_others(whole: Workspace) -> None:
    for name in ("dep", "flask", "setuptools"):
        (whole.root / "vendor" / f"{name}-1.tar.gz").unlink()
    with pytest.raises(UserError) as caught:
        check.require(whole.discover(), whole.settings())
    assert caught.value.what == "vendor/dep-1.tar.gz: missing (and 2 more, above)"
    assert "make vendor" in caught.value.hint
    assert [line for line in caught.value.details.splitlines() if "hint" not in line] == [
        "vendor/flask-1.tar.gz: missing",
        "vendor/setuptools-1.tar.gz: missing",
    ]


def test_the_verb_says_what_it_checked(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    sound = sdists.make_sdist("flask", "1")
    workspace.service("the_service", "svc", "flask\n")
    write_lock(workspace, "the_service", vendored(workspace, "flask", sound))
    assert command_line.main(["check-vendor", "--project", str(workspace.root)]) == 0
    assert capsys.readouterr().out == "  CHECK   vendor/: 2 files, 3 kB, all as locked\n"


def test_the_verb_refuses_an_archive_that_cannot_be_unpacked(whole: Workspace) -> None:
    with pytest.raises(UserError, match=r"/vendor/(dep|flask|setuptools)-1\.tar\.gz: damaged, or not an archive"):
        command_line.main(["check-vendor", "--project", str(whole.root)])


def test_the_verb_refuses(whole: Workspace, tmp_path: Path) -> None:
    whole.write({"vendor/extra.zip": ""})
    with pytest.raises(UserError, match=r"vendor/extra.zip: no lock lists it"):
        command_line.main(["check-vendor", "--project", str(whole.root)])


def test_the_verb_refuses_where_python_leaves_assertions_out(whole: Workspace) -> None:
    (whole.root / "vendor" / "flask-1.tar.gz").write_text("another")
    program = Path(check.__file__).parents[2] / "verb.py"
    words = [sys.executable, "-O", str(program), "check-vendor", "--project", str(whole.root)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "vendor/flask-1.tar.gz" in done.stderr
