"""What editors are told of a project, and the files of theirs that it is put into, which are the user's."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from toolkit.core import console, files
from toolkit.core.foreign_text import one_line
from toolkit.develop.workon import Environment
from toolkit.project.package_search import is_toolkit

#: What a comment says in a file that is written as a whole.
MARK = "written by create-virtual-environment, which brings it up to date while it is unchanged: "


def tests(environment: Environment) -> list[Path]:
    """Return the directories of tests; those of the toolkit are not the project's to run."""
    own = (package for package in environment.packages if package.is_root or not is_toolkit(package.path))
    return [package.path / "tests" for package in own if (package.path / "tests").is_dir()]


def merge(root: Path, name: str, merged: Callable[[str], str]) -> None:
    """Write into a file what `merged` makes of its text, which is empty where there is none; say what was done.

    A file that cannot be read as what it should be (`ValueError`) is left alone.
    """
    path = root / name
    try:
        old = path.read_bytes().decode("utf-8")
        new = merged(old)
    except FileNotFoundError:
        if os.path.lexists(path):
            keep(name, "it is a link that leads nowhere")
            return
        old, new = "", merged("")
    except (ValueError, OSError) as error:
        keep(name, f"{one_line(str(error))}; mend or remove it to have it written")
        return
    if new != old:
        path.parent.mkdir(exist_ok=True)
        # What a link leads to is changed, and it stays one.
        files.write_atomic(path.resolve(), new)
        console.step("WRITE", name)


def keep(name: str, reason: str) -> None:
    """Say of a file, or of a part of it, why it stays as it is."""
    console.step("KEEP", f"{name}: {reason}")


def marked(text: str) -> str:
    """Return a text with a digest of the rest in a comment that it has, so that a later change of it is noticed."""
    return text.replace(MARK, MARK + _digest(text), 1)


def is_as_written(text: str) -> bool:
    """Tell whether nobody has changed a text since it was marked."""
    before, mark, after = text.partition(MARK)
    return bool(mark) and after[:16] == _digest(before + mark + after[16:])


def without_mark(text: str) -> str:
    """Return what somebody has changed in a text that was marked once, all of it without the mark."""
    return "" if is_as_written(text) else re.sub(f".*{re.escape(MARK)}.*\r?\n", "", text, count=1)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
