"""The interpreters that pyenv has installed."""

from __future__ import annotations

import os
import re
from pathlib import Path


def root() -> Path:
    """Return pyenv's directory: `$PYENV_ROOT`, or `~/.pyenv`."""
    return Path(os.path.expanduser(os.environ.get("PYENV_ROOT") or "~/.pyenv"))


def versions() -> dict[str, Path]:
    """Return the interpreter of each version of CPython (such as `3.11.7`), the newest first.

    The interpreters themselves: pyenv's shims obey whatever `.python-version` is where they are called.
    """
    names = [path.name for path in root().glob("versions/*") if re.fullmatch(r"3\.\d+\.\d+", path.name)]
    newest_first = sorted(names, key=lambda name: [int(part) for part in name.split(".")], reverse=True)
    paths = {name: root() / "versions" / name / "bin" / f"python{minor(name)}" for name in newest_first}
    return {name: path for name, path in paths.items() if path.is_file()}


def minor(version: str) -> str:
    """Return `3.11` for `3.11.7`."""
    return ".".join(version.split(".")[:2])
