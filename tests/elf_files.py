"""Shared libraries as other tools make them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

_NOTE = """
    .balign 4
    .long 4, {size}, 0x407c0c0a
    .ascii "FDO\\0"
    .asciz {text}
"""


def make_noted_library(path: Path, *descriptions: str) -> Path:
    """Write a library with notes of what it opens, as systemd's macro has them (SD_ELF_NOTE_DLOPEN)."""
    notes = "".join(_NOTE.format(size=len(text.encode()) + 1, text=json.dumps(text)) for text in descriptions)
    source = path.with_suffix(".s")
    source.write_text(f'.section .note.dlopen,"a",%note\n{notes}\n    .balign 4\n')
    subprocess.run(["gcc", "-shared", "-nostdlib", "-o", path, source], check=True)
    return path
