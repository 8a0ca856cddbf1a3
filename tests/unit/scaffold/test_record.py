"""The record of what templates gave."""

from __future__ import annotations

from pathlib import Path

from toolkit.scaffold import record, templates
from toolkit.scaffold.record import Scaffold

COMMIT = "0123456789" * 4


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    names = {**templates.names("mail-relay", "acme"), "package": "mail-relay"}
    made = {
        "project": Scaffold(templates=("project", "pytest"), values={"namespace": "acme"}, revision=COMMIT),
        "service mail-relay": Scaffold(
            templates=("service",), values={**names, "python": "3.11\n3.13", "summary": 'Ü "x" \\ # y'}, revision=COMMIT
        ),
    }
    change = record.change(tmp_path, made)
    assert change.verb == "WRITE"
    assert "module" not in change.text
    (tmp_path / record.FILE).write_text(change.text)
    assert record.read(tmp_path) == made
    assert record.change(tmp_path, made).verb == "KEEP"


def test_what_is_there_stays_and_what_comes_from_nowhere_is_not_noted(tmp_path: Path) -> None:
    first = {"project": Scaffold(templates=("project",), values={"a": "b"}, revision=COMMIT)}
    (tmp_path / record.FILE).write_text(record.text(first))
    other = Scaffold(templates=("x",), values={}, revision="f" * 40)
    change = record.change(tmp_path, {"project": other, "ci": Scaffold(templates=(), values={}), "service x": other})
    assert (change.verb, change.note) == ("ADD", "service x")
    (tmp_path / record.FILE).write_text(change.text)
    assert record.read(tmp_path) == {**first, "service x": other}
