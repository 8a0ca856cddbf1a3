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
_LONGEST = 1 << 24


def tests(environment: Environment) -> list[Path]:
    """Return the directories of tests; those of the toolkit are not the project's to run."""
    own = (package for package in environment.packages if package.is_root or not is_toolkit(package.path))
    return [package.path / "tests" for package in own if (package.path / "tests").is_dir()]


def merge(root: Path, name: str, merged: Callable[[str], str]) -> None:
    """Write into a file what `merged` makes of its text, which is empty where there is none; say what was done.

    A file that cannot be read as what it should be (`ValueError`) is left alone, and so is one out of the project: a
    link in somebody's repository may lead to any file of the user's.
    """
    try:
        path = inside(root, name)
        old = read(path)
        new = merged(old)
        new.encode()
    except RecursionError:
        keep(name, "it is nested too deeply; mend or remove it to have it written")
        return
    except (ValueError, OSError) as error:
        keep(name, f"{one_line(str(error))}; mend or remove it to have it written")
        return
    if new != old:
        path.parent.mkdir(exist_ok=True)
        # What a link leads to is changed, and it stays one.
        files.write_atomic(path, new)
        console.step("WRITE", name)


def inside(root: Path, name: str) -> Path:
    """Return where a file of the project is, behind all links. Raises `ValueError` where they lead nowhere, or out."""
    path = Path(os.path.realpath(root / name))
    if not path.is_relative_to(os.path.realpath(root)):
        raise ValueError("it leads out of the project")
    if not path.exists() and any(each.is_symlink() for each in (root / name, (root / name).parent)):
        raise ValueError("it is a link that leads nowhere")
    return path


def read(path: Path) -> str:
    """Return the text of a file, empty where there is none. Raises `ValueError` or `OSError` for anything else."""
    try:
        return files.read_foreign(path, _LONGEST).decode("utf-8")
    except FileNotFoundError:
        return ""


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
