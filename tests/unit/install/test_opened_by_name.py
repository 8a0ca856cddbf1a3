"""What the code of a service opens by name, of its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.elf_files import make_noted_library
from toolkit.install import system_libraries
from toolkit.install.loadable import Installed
from toolkit.install.opened_by_name import Environment
from toolkit.install.system_libraries import Depends
from toolkit.model.core_metadata import CoreMetadata

SITE = "lib/python3.11/site-packages"
OPENS = "import ctypes\ndef later():\n    return ctypes.CDLL('opensc-pkcs11.so')\n"
PACKAGE = "opensc-pkcs11"


class Tree:
    """An environment whose distributions are made of texts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.found: list[Installed] = []

    def add(self, name: str, files: Mapping[str, str], requires: tuple[str, ...] = ()) -> None:
        names = []
        for path, text in files.items():
            names.append(path if path.startswith("bin/") else f"{SITE}/{path}")
            (self.root / names[-1]).parent.mkdir(parents=True, exist_ok=True)
            (self.root / names[-1]).write_text(text)
        modules = {path.partition("/")[0].removesuffix(".py") for path in files if path.endswith(".py")}
        self.found.append(
            Installed(
                metadata=CoreMetadata(name=name, version="1.0", requires=requires),
                modules=tuple(sorted(modules)),
                libraries=(),
                names=frozenset(names),
            )
        )

    def missing(self, depends: str = "", direct: tuple[str, ...] = ()) -> dict[str, list[str]]:
        environment = Environment(root=self.root, site=SITE, found=self.found, own=["app"], direct=direct)
        found = environment.missing(environment.opened, Depends(depends))
        return {package: [each.place for each in opened] for package, opened in found.items()}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_what_the_own_code_opens_is_missing_until_depends_bring_it(tree: Tree) -> None:
    tree.add("app", {"app/__init__.py": "", "app/cards.py": OPENS})
    assert tree.missing() == {PACKAGE: ["app/cards.py:3"]}
    assert tree.missing(f"other | {PACKAGE}") == {}


def test_what_a_dependency_opens_counts_where_imports_lead_to_it(tree: Tree) -> None:
    tree.add("app", {"app.py": "import cards"})
    tree.add("cards", {"cards/__init__.py": "", "cards/reader.py": OPENS, "cards/other.py": OPENS})
    assert tree.missing() == {}
    (tree.root / SITE / "app.py").write_text("def later():\n    from cards import reader\n")
    assert tree.missing() == {PACKAGE: ["cards/reader.py:3"]}


@pytest.mark.parametrize(
    "point", ["[keyring.backends]\ncards = cards.reader", "[console_scripts]\ncards = cards.reader:f"]
)
def test_plugins_are_reached_and_programs_of_others_are_not(tree: Tree, point: str) -> None:
    tree.add("app", {"app.py": ""})
    tree.add("cards", {"cards/reader.py": OPENS, "cards-1.0.dist-info/entry_points.txt": point})
    assert bool(tree.missing()) is ("console" not in point)


def test_what_the_project_requires_by_name_is_reached(tree: Tree) -> None:
    tree.add("app", {"app.py": ""})
    tree.add("cards", {"cards.py": OPENS})
    assert tree.missing() == {}
    assert tree.missing(direct=("cards",)) == {PACKAGE: ["cards.py:3"]}


def test_programs_of_the_service_open_and_lead_on(tree: Tree) -> None:
    tree.add("app", {"app.py": ""})
    tree.add("cards", {"cards.py": OPENS})
    (tree.root / "bin").mkdir()
    (tree.root / "bin/yc-app.py").write_text(f"#!/usr/bin/python3\nimport cards\n{OPENS}")
    (tree.root / "bin/shell").write_text("#!/bin/sh\n")
    assert tree.missing() == {PACKAGE: ["bin/yc-app.py:5", "cards.py:3"]}


def test_what_comes_in_the_wheel_or_in_one_that_it_requires_is_not_missing(tree: Tree) -> None:
    tree.add("app", {"app.py": "import magic"})
    text = OPENS.replace("opensc-pkcs11.so", "libopensc.so.8")
    tree.add("magic", {"magic.py": text, "magic.libs/libopensc-0a1b2c.so.8.0": ""})
    assert tree.missing() == {}
    tree.found.pop()
    tree.add("magic", {"magic.py": text}, requires=("magic-binary; extra == 'binary'",))
    tree.add("magic-binary", {"magic_binary.libs/libopensc.so.8": ""})
    assert tree.missing() == {}


@pytest.mark.parametrize(
    "path", ["app/_win32.py", "app/darwin/x.py", "app/tests/x.py", "app/test_x.py", "app/macosx/x.py", "docs/conf.py"]
)
def test_what_is_for_another_platform_or_never_run_is_not_read(tree: Tree, path: str) -> None:
    tree.add("app", {path: OPENS})
    assert tree.missing() == {}


def test_a_program_without_which_a_distribution_does_nothing(tree: Tree) -> None:
    tree.add("app", {"app.py": "import gnupg"})
    tree.add("python-gnupg", {"gnupg.py": ""})
    assert tree.missing() == {"gnupg": [""]}
    assert tree.missing("gnupg") == {}


def test_typelibs_are_for_gi(tree: Tree) -> None:
    package = system_libraries.package_of(["Gtk-3.0.typelib"])
    assert package in ("gir1.2-gtk-3.0", "")
    tree.add("app", {"app.py": "import gi\ngi.require_version('Gtk', '3.0')\n"})
    assert tree.missing() == {}
    tree.add("pygobject", {"gi/__init__.py": ""})
    assert tree.missing() == ({package: ["app.py:2"]} if package else {})


def test_what_a_shared_library_says_that_it_opens_is_missing(tree: Tree) -> None:
    tree.add("app", {"app.py": "", "app_native.so": ""})
    make_noted_library(tree.root / SITE / "app_native.so", f'[{{"soname": ["{PACKAGE}.so", "$(reboot)"]}}]')
    tree.found[0] = replace(tree.found[0], libraries=(f"{SITE}/app_native.so",))
    assert tree.missing() == {PACKAGE: ["app_native.so"]}


def test_one_of_several_names_is_enough_wherever_they_are_tried(tree: Tree) -> None:
    tree.add("app", {"app.py": "_dlopen('opensc-pkcs11.so', 'libnowhere.so.1')\n"})
    assert tree.missing() == {PACKAGE: ["app.py:1"]}
    tree.found.clear()
    tree.add("app", {"app.py": "_dlopen('opensc-pkcs11.so', 'libnowhere.so.1')\n", "b.py": "_dlopen('nowhere')\n"})
    assert tree.missing() == {PACKAGE: ["app.py:1"]}
    tree.found.clear()
    tree.add("app", {"app.py": "_dlopen('opensc-pkcs11.so', 'nowhere')\n", "b.py": "_dlopen('nowhere', 'c')\n"})
    assert tree.missing() == {}


def test_a_file_that_cannot_be_read_opens_nothing(tree: Tree) -> None:
    tree.add("app", {"app.py": OPENS})
    (tree.root / SITE / "app.py").unlink()
    (tree.root / SITE / "app.py").symlink_to("/dev/zero")
    assert tree.missing() == {}
