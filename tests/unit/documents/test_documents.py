"""What the documents tell to type exists: every target of make, and every setting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.project.settings import IN_ENVIRONMENT

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RECIPES = sorted((ROOT / "docs" / "ci").iterdir())
MAKEFILES = [ROOT / name for name in ("project.mk", "scripts/toolkit.mk", "templates/project/Makefile.in")]
#: What dpkg reads.
_DPKG = {"DEB_BUILD_OPTIONS", "DEB_BUILD_PROFILES"}
_MAKE = re.compile(r"(?<![-\w/])make((?: [^\s`'\";&|]+)+)")


def declared() -> tuple[set[str], set[str]]:
    """Return the targets and the settings that there are."""
    text = "".join(path.read_text() for path in MAKEFILES)
    targets = re.findall(r"^(?:common-)?([a-z][a-z-]*):(?!=)", text, re.MULTILINE)
    verbs = re.findall(r"^reads_([a-z-]+) =", text, re.MULTILINE)
    return {*targets, *verbs}, set(re.findall(r"^([A-Z][A-Z0-9_]*) \?=", text, re.MULTILINE))


def code(path: Path) -> Iterator[str]:
    """Yield what a document shows as code: spans, and indented lines up to what explains them."""
    text = path.read_text()
    if path.suffix != ".md":
        yield from (line for line in text.splitlines() if not line.lstrip().startswith(("#", "//")))
        return
    yield from re.findall(r"`([^`\n]+)`", text)
    yield from (re.split(r" {2,}", line.strip())[0] for line in text.splitlines() if line.startswith("    "))


@pytest.mark.parametrize("path", [*DOCUMENTS, *RECIPES], ids=lambda path: path.name)
def test_every_command_can_be_typed(path: Path) -> None:
    targets, settings = declared()
    for line in code(path):
        for found in _MAKE.finditer(line):
            for word in found[1].split():
                setting = re.fullmatch(r"([A-Z][A-Z0-9_]*)=.*", word)
                if setting:
                    assert setting[1] in settings | _DPKG, line
                elif word in ("add", "remove", "tree", "why"):
                    # What follows are names of distributions.
                    break
                elif re.fullmatch(r"[a-z][a-z-]*", word):
                    assert word in targets, line
                else:
                    break


@pytest.mark.parametrize("name", ["README.md", "docs/guide.md", "docs/reference.md"])
def test_every_setting_that_is_explained_exists(name: str) -> None:
    _, settings = declared()
    named = {found for line in code(ROOT / name) for found in re.findall(r"(?:^|\s)([A-Z][A-Z0-9_]{3,})=", line)}
    named = {found.removeprefix(IN_ENVIRONMENT) for found in named}
    assert named <= settings | _DPKG | {"TMPDIR", "WORKON_HOME"}


def test_all_targets_are_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    targets = re.findall(r"^(?:reads_|common-)([a-z-]+)(?: =|:)", (ROOT / "project.mk").read_text(), re.MULTILINE)
    assert [target for target in targets if f"make {target}" not in text] == []
