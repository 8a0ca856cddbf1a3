"""Run a program that does nothing a hundred times, in the sandbox (`on`) or with its limits alone (`off`)."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from toolkit.sandbox import confined
from toolkit.sandbox.view import View

with tempfile.TemporaryDirectory() as name:
    directory = Path(name)
    temporary = directory / "temporary"
    temporary.mkdir()
    sandbox = replace(confined.default(), mode=sys.argv[1])
    for _ in range(100):
        sandbox.run(["/usr/bin/true"], View(temporary=temporary), directory="/", environment={}, log=directory / "log")
