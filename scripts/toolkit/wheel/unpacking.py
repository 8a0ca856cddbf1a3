"""A wheel's members -> files of an environment, by the installation schemes; what is not sound is refused.

https://packaging.python.org/en/latest/specifications/binary-distribution-format/#installing-a-wheel-distribution-1-0-py32-none-any-whl
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted
from toolkit.model.interpreter import Interpreter
from toolkit.wheel import check, record, scripts
from toolkit.wheel.record import Row


def unpack(wheel: Path, root: Path, interpreter: Interpreter, python: Path) -> dict[str, bool]:
    """Write a wheel's files below `root`, an environment of this interpreter.

    Returns their names, and whether each is a script that starts `python`. Raises `UserError` for what is no wheel, and
    before anything is written for one with members that lead out of the environment, replace its interpreter, or stand
    in each other's place; and for a file that is not what RECORD says, which may be there by then.
    """
    version, site = interpreter.version, interpreter.site_packages
    with check.opened(wheel) as contents:
        headers = f"include/site/python{version}/{wheel.name.partition('-')[0]}"
        schemes = {"purelib": site, "platlib": site, "scripts": "bin", "data": "", "headers": headers}
        files = contents.layout(schemes)
        written, rows = dict[str, bool](), dict[str, Row]()

        def write(name: str, content: Iterable[bytes], mode: int, *, is_script: bool = False) -> None:
            written[name], rows[name] = is_script, _write(root, name, content, mode, site)

        for name, file in files.items():
            # Python would take it for the source's, whatever it does. It is compiled again from what there is to read.
            if "/__pycache__/" in name and name.endswith(".pyc"):
                continue
            in_bin = name.startswith("bin/")
            content = contents.chunks(file)
            is_script = in_bin and file.name.startswith(f"{contents.data}/scripts/")
            if is_script:
                content, is_script = _script(content, python)
            # Programs and shared objects are what zip files call executable; scripts are in any case.
            write(name, content, 0o755 if in_bin or file.is_executable else 0o644, is_script=is_script)
        for name, target in contents.commands.items():
            write(f"bin/{name}", [scripts.entry_point(python, target)], 0o755, is_script=True)
        write(f"{site}/{contents.installer}", [b"python-common\n"], 0o644)
        # Its own row comes last, instead of one with the hash of the wheel's RECORD.
        own_name = f"{site}/{contents.information}/{record.FILE}"
        rows.pop(own_name)
        listed = record.text([*(row for _, row in sorted(rows.items())), Row(f"{contents.information}/{record.FILE}")])
        _write(root, own_name, [listed.encode()], 0o644, site)
    return written


def _script(content: Iterator[bytes], python: Path) -> tuple[Iterator[bytes], bool]:
    """Return a script for `python`, and whether it is one: it may be a program of any size, too."""
    first = next(content, b"")
    if not first.startswith(b"#!python"):
        return _joined(first, content), False
    return _joined(scripts.with_interpreter(first, python), content), True


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _write(root: Path, name: str, content: Iterable[bytes], mode: int, site: str) -> Row:
    """Write a file and return its row of RECORD."""
    path, size, seen = f"{root}/{name}", 0, hashlib.sha256()
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise UserError(
            f"{quoted(name)} is a file of one distribution and a directory of another",
            "only one of them can be here: choose other versions",
        ) from None
    with os.fdopen(descriptor, "wb") as stream:
        for chunk in content:
            stream.write(chunk)
            seen.update(chunk)
            size += len(chunk)
        os.fchmod(descriptor, mode)
    return record.row_of(os.path.relpath(name, site), seen.digest(), size)
