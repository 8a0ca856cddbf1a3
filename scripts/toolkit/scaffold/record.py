"""What the files of a project were written from: templates, the values they were filled with, and the toolkit's commit.

It stands in a file of the project, so that newer templates can be told from what people have changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from toolkit.core import documents
from toolkit.core.documents import Table
from toolkit.core.errors import UserError
from toolkit.scaffold import templates
from toolkit.scaffold.templates import Entry
from toolkit.scaffold.writing import Change

FILE = ".python-common-scaffold.toml"
_HEAD = "# What was written from which templates, for `common/scripts/new-project --update`, which keeps it.\n"
_NAME, _COMMIT = re.compile(r"[a-z]+"), re.compile(r"[0-9a-f]{40,64}")
_REVISION = "revision"
_TEMPLATES = "templates"


@dataclass(frozen=True, kw_only=True)
class Scaffold:
    """What is written at one time: the names of templates, the values for them, and the commit they were in (if known).

    Scaffolds go by a key: `project`, `packaging`, `ci`, or `service NAME`.
    """

    templates: tuple[str, ...]
    values: Mapping[str, str]
    revision: str = ""


def service_key(name: str) -> str:
    """Return the key of a service's scaffold."""
    return f"service {name}"


def read(root: Path) -> dict[str, Scaffold]:
    """Return the scaffolds that a project has a record of. Raises `UserError` where it is none of ours."""
    try:
        content = documents.toml((root / FILE).read_bytes())
        return {key: _scaffold(Table(table, key)) for key, table in content.items()}
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise fault(str(error)) from None


def fault(what: str) -> UserError:
    """Return the error to raise for a record that is not as it was written."""
    return UserError(
        f"{FILE}: not the record of a scaffold: {what}",
        f"`git log -- {FILE}` has it as it was; without it, the history tells what it says, as far as it can",
    )


def _scaffold(table: Table) -> Scaffold:
    values = {key: value for key, value in table.content.items() if key not in (_REVISION, _TEMPLATES)}
    if not all(isinstance(value, str) for value in values.values()):
        raise ValueError(f"{table.name}: a value that is no text")
    return Scaffold(
        templates=table.texts(_TEMPLATES, form=_NAME),
        values={**_names(values), **values},
        revision=table.text(_REVISION, form=_COMMIT),
    )


def _names(values: Mapping[str, str]) -> dict[str, str]:
    """Return the names that follow from that of a service; they are not written down."""
    return templates.names(values["service"], values["namespace"]) if {"service", "namespace"} <= values.keys() else {}


def text(scaffolds: Mapping[str, Scaffold]) -> str:
    """Return the text of the record."""
    return "\n".join([_HEAD, *(_table(key, scaffolds[key]) for key in sorted(scaffolds))])


def _table(key: str, scaffold: Scaffold) -> str:
    derived = {name: value for name, value in _names(scaffold.values).items() if name not in ("service", "namespace")}
    values = {name: scaffold.values[name] for name in sorted(scaffold.values)}
    told = {name: value for name, value in values.items() if derived.get(name) != value}
    # The strings of JSON are strings of TOML, too.
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in told.items()]
    head = [f"[{json.dumps(key)}]", f'{_REVISION} = "{scaffold.revision}"']
    return "\n".join([*head, f"{_TEMPLATES} = {json.dumps(list(scaffold.templates))}", *lines, ""])


def change(root: Path, made: Mapping[str, Scaffold]) -> Change:
    """Return what is done with the record when these scaffolds are written; one that is in it stays."""
    known = read(root)
    new = {key: scaffold for key, scaffold in made.items() if scaffold.revision and key not in known}
    entry = Entry(path=PurePosixPath(FILE), text=text({**new, **known}))
    if not new:
        return Change(verb="KEEP", entry=entry)
    if not known:
        return Change(verb="WRITE", entry=entry, text=entry.text)
    return Change(verb="ADD", entry=entry, text=entry.text, note=", ".join(new))
