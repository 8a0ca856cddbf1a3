"""Directories written from templates."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from toolkit import templates

TOOLKIT = Path(__file__).resolve().parents[2]


@pytest.fixture
def template(tmp_path: Path) -> Path:
    directory = tmp_path / "template"
    (directory / "@name@" / "inner").mkdir(parents=True)
    (directory / "@name@" / "inner" / "@name@.txt.in").write_text("name: @name@, mail: a@b, rule: $@, @ name @\n")
    (directory / "run.in").write_text("#!/bin/sh\n")
    (directory / "run.in").chmod(0o755)
    (directory / "link").symlink_to("elsewhere/@name@")
    return directory


def test_names_and_texts_are_filled_in(template: Path, tmp_path: Path) -> None:
    templates.render(template, tmp_path / "made", {"name": "one"})
    made = tmp_path / "made" / "one" / "inner" / "one.txt"
    assert made.read_text() == "name: one, mail: a@b, rule: $@, @ name @\n"


def test_scripts_stay_executable_and_others_are_not(template: Path, tmp_path: Path) -> None:
    templates.render(template, tmp_path / "made", {"name": "one"})
    assert os.access(tmp_path / "made" / "run", os.X_OK)
    assert not os.access(tmp_path / "made" / "one" / "inner" / "one.txt", os.X_OK)


def test_links_are_copied_as_they_are(template: Path, tmp_path: Path) -> None:
    templates.render(template, tmp_path / "made", {"name": "one"})
    assert str((tmp_path / "made" / "link").readlink()) == "elsewhere/@name@"


def test_a_word_without_a_value_is_a_mistake(template: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="name"):
        templates.render(template, tmp_path / "made", {})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    values = {"maintainer": "A <a@example.com>", "date": "today", "year": "2026", "python": "3.11"}
    names = templates.names("mail-relay", "acme")
    templates.render(TOOLKIT / "templates" / "project", tmp_path / "project", {**names, **values})
    return tmp_path / "project"


def test_the_template_of_a_project_has_every_file_of_a_service(project: Path) -> None:
    files = {str(path.relative_to(project)) for path in project.rglob("*")}
    assert files >= {
        "Makefile", "create-virtual-environment", "debian/control", "debian/rules", "debian/changelog",
        "debian/acme-mail-relay.service", "mail_relay/bin/acme-mail-relay", "mail_relay/setup.py",
        "mail_relay/requirements.txt", "mail_relay/.python-version", "mail_relay/acme_mail_relay/__init__.py",
    }
    assert not [name for name in files if name.endswith(".in") or "@" in name]


def test_the_modules_of_the_template_are_python(project: Path) -> None:
    modules = list(project.rglob("*.py"))
    assert len(modules) >= 5
    for module in modules:
        ast.parse(module.read_text(), str(module))


def test_no_file_of_the_template_looks_like_a_package_or_a_test() -> None:
    names = [path.name for path in (TOOLKIT / "templates").rglob("*") if path.is_file() and not path.is_symlink()]
    assert names
    assert all(name.endswith(".in") for name in names)
