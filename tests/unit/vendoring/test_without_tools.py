"""`make vendor` begins with any Python: only what it then enters has the libraries of the network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[3] / "scripts"
CODE = """
import sys
for name in ("packaging", "tomli_w", "requests", "urllib3", "pip"):
    sys.modules[name] = None
from toolkit.verbs import command_line
for verb in ("vendor", "add", "remove"):
    command_line.parse(verb, [])
command_line.parse("outdated", [])
"""


def test_the_verb_loads_without_what_only_the_tools_environment_has() -> None:
    subprocess.run([sys.executable, "-c", CODE], cwd=SCRIPTS, check=True)
