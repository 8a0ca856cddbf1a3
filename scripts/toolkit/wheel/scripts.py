"""Scripts of an environment: their first lines, and the calls of entry points. Nothing else writes either.

https://packaging.python.org/en/latest/specifications/entry-points/#use-for-scripts
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

# The kernel reads no more of a first line on every system (execve(2)).
_LONGEST_FIRST_LINE = 127
# `#!/usr/bin/env -S python3 -u`: whatever finds an interpreter, then the interpreter's own options.
_FIRST_LINE = re.compile(
    rb"#![ \t]*(?:\S*/env[ \t]+(?:-S[ \t]+)?)?(?:\S*/)?python[0-9.]*(?P<options>(?:[ \t]+\S+)*)[ \t]*\r?\n"
)


def with_interpreter(script: bytes, interpreter: Path) -> bytes:
    """Return a script with `interpreter` in its first line, options kept; what is not Python stays as it is.

    `#!python`, which stands for the interpreter in wheels (PEP 427), is such a line too.
    """
    found = _FIRST_LINE.match(script)
    return first_line(interpreter, found["options"].split()) + script[found.end() :] if found else script


def runner(interpreter: Path, script: Path) -> bytes | None:
    """Return a script that runs another one by `interpreter`, as it is then; None for one that is not Python's.

    That finds its own path, name and directory, as if it had been started itself.
    """
    with script.open("rb") as stream:
        found = _FIRST_LINE.match(stream.readline(4096))
    if not found:
        return None
    code = (
        "import runpy\nimport sys\n\n"
        f"script = {str(script)!r}\n"
        "if not sys.flags.safe_path:\n"
        f"    sys.path[0] = {str(script.parent)!r}\n"
        'runpy.run_path(script, run_name="__main__")\n'
    )
    return first_line(interpreter, found["options"].split()) + code.encode()


def first_line(interpreter: Path, options: Sequence[bytes] = ()) -> bytes:
    """Return what makes a script run by `interpreter` with these options, whatever the path.

    Where the kernel cannot (spaces, a long line), the shell does, by a line that is a string in Python: the form of
    distlib, which pip and installer write too (https://github.com/pypa/installer/pull/4#issuecomment-623668717).
    """
    path = os.fsencode(interpreter)
    if not set(b" \t") & set(path):
        # The kernel hands all that follows the interpreter over as one word; env takes it apart.
        start = b"#!/usr/bin/env -S " if len(options) > 1 else b"#!"
        line = b" ".join([start + path, *options]) + b"\n"
        if len(line) <= _LONGEST_FIRST_LINE:
            return line
    words = b" ".join(os.fsencode(shlex.quote(word)) for word in map(os.fsdecode, (path, *options)))
    return b"#!/bin/sh\n'''exec' " + words + b' "$0" "$@"\n' + b"' '''\n"


def entry_point(interpreter: Path, target: str) -> bytes:
    """Return the script of an entry point, whose target is `module:object [extras]`."""
    module, _, function = target.partition("[")[0].replace(" ", "").partition(":")
    code = f"import sys\n\nfrom {module} import {function.partition('.')[0]}\n\nsys.exit({function}())\n"
    return first_line(interpreter) + code.encode()
