"""Files that templates give."""

from __future__ import annotations

import ast
from pathlib import Path, PurePosixPath

import pytest

from toolkit.scaffold import templates
from toolkit.scaffold.templates import Entry

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
VALUES = {
    **templates.names("mail-relay", "acme"),
    "maintainer": "A <a@example.com>",
    "date": "today",
    "year": "2026",
    "python": "3.11\n3.13",
    "oldest": "3.11",
    "port": "8081",
    "project": "mail",
    "summary": "HTTP service that relays",
}


@pytest.fixture
def template(tmp_path: Path) -> Path:
    directory = tmp_path / "template"
    (directory / "@name@" / "inner").mkdir(parents=True)
    (directory / "@name@" / "inner" / "@name@.txt.in").write_text("name: @name@, mail: a@b, rule: $@, @ name @\n")
    (directory / "run.in").write_text("#!/bin/sh\n")
    (directory / "run.in").chmod(0o755)
    (directory / "list.part.in").write_text("# why\nitem: @name@\n")
    (directory / "link").symlink_to("elsewhere/@name@")
    return directory


def read(*directories: Path, **values: str) -> dict[str, Entry]:
    return {str(entry.path): entry for entry in templates.read(values, *directories)}


def test_names_and_texts_are_filled_in(template: Path) -> None:
    assert read(template, name="one")["one/inner/one.txt"].text == "name: one, mail: a@b, rule: $@, @ name @\n"


def test_scripts_stay_executable_and_others_are_not(template: Path) -> None:
    found = read(template, name="one")
    assert found["run"].is_executable
    assert not found["one/inner/one.txt"].is_executable


def test_links_are_taken_as_they_are(template: Path) -> None:
    assert read(template, name="one")["link"] == Entry(path=PurePosixPath("link"), link="elsewhere/@name@")


def test_a_part_is_known_by_its_first_line_that_is_no_comment(template: Path) -> None:
    found = read(template, name="one")["list"]
    assert found.is_part
    assert found.key == "item: one"


def test_a_word_without_a_value_is_a_mistake(template: Path) -> None:
    with pytest.raises(KeyError, match="name"):
        read(template)


def test_a_file_of_a_later_template_takes_the_place_of_an_earlier_one(template: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "run.in").write_text("#!/bin/bash\n")
    found = read(template, overlay, name="one")
    assert found["run"].text == "#!/bin/bash\n"
    assert "list" in found


def test_a_project_and_a_service_have_every_file_that_the_document_asks_for() -> None:
    found = read(*(TEMPLATES / name for name in ("project", "packaging", "service", "runtime")), **VALUES)
    assert set(found) >= {
        "Makefile",
        "create-virtual-environment",
        ".gitignore",
        "debian/control",
        "debian/rules",
        "debian/changelog",
        "debian/acme-mail-relay.service",
        "mail_relay/bin/acme-mail-relay",
        "mail_relay/Makefile",
        "mail_relay/setup.py",
        "mail_relay/MANIFEST.in",
        "mail_relay/requirements.txt",
        "mail_relay/.python-version",
        "mail_relay/vendor.txt",
        "mail_relay/acme_mail_relay/__init__.py",
        "mail_relay/tests/test_service.py",
    }
    assert not [name for name in found if "@" in name or (name.endswith(".in") and name != "mail_relay/MANIFEST.in")]


@pytest.mark.parametrize(
    "names", [("service", "runtime"), ("service", "plain"), ("service", "runtime", "example")], ids="+".join
)
def test_the_modules_of_a_service_are_python(names: tuple[str, ...]) -> None:
    found = read(*(TEMPLATES / name for name in names), **VALUES)
    modules = [entry for name, entry in found.items() if name.endswith(".py") or name.startswith("debian/tests/mail")]
    assert len(modules) >= 5
    for module in modules:
        ast.parse(module.text, str(module.path))


def test_no_line_of_a_package_s_description_is_wider_than_a_terminal() -> None:
    values = VALUES | templates.names("a-service-of-a-rather-long-name", "acme")
    lines = read(TEMPLATES / "service", **values)["debian/control"].text.splitlines()
    assert max(map(len, lines)) <= 80


def test_no_file_of_a_template_looks_like_a_package_or_a_test() -> None:
    names = [path.name for path in TEMPLATES.rglob("*") if path.is_file() and not path.is_symlink()]
    assert names
    assert all(name.endswith(".in") for name in names)
