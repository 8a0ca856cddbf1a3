"""A service project in a temporary directory, whose toolkit's verbs only note how they were called."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.verbs import command_line

TOOLKIT = Path(__file__).resolve().parents[2]
#: Each target that runs the verb of its name.
VERBS = [*re.findall(r"^reads_([a-z-]+) =", (TOOLKIT / "project.mk").read_text(), re.MULTILINE), "info"]

_RECORDER = """\
import json, os, pathlib, sys, time
verb = sys.argv[1]
if verb in ["unread-settings", "unknown-target", os.environ.get("REAL_VERB")]:
    from toolkit.core import console
    from toolkit.verbs import command_line
    sys.exit(console.run_main(lambda: command_line.main(sys.argv[1:])))
record = pathlib.Path(__file__).parents[2] / "calls"
secrets = {name: os.environ.get(name) for name in ("INDEX_URL", "EXTRA_INDEX_URL", "SETTINGS_TO_SHOW")}
def note(event):
    with record.open("a") as stream:
        print(json.dumps([event, verb, sys.argv[2:], secrets]), file=stream)
note("start")
if verb == os.environ.get("FAILING_VERB"):
    sys.exit("the verb failed")
time.sleep(float(os.environ.get("SECONDS_OF_VERB", "0")))
note("end")
"""


@dataclass(frozen=True)
class Project:
    """A project at `root`, and what its verbs noted."""

    root: Path

    def make(self, *words: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run make as a user would, in an environment that holds nothing else."""
        scrubbed = {"PATH": os.environ["PATH"], "HOME": str(self.root), "LC_ALL": "C.UTF-8", **environment}
        done = subprocess.run(
            ["make", "--warn-undefined-variables", *words],
            cwd=self.root,
            env=scrubbed,
            text=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert "undefined variable" not in done.stderr
        assert not check or done.returncode == 0, done.stderr
        return done

    def events(self) -> list[tuple[str, str]]:
        """Return the starts and ends of verbs, in their order."""
        return [(event, verb) for event, verb, _, _ in self._read()]

    def calls(self) -> dict[str, list[str]]:
        """Return the arguments of each verb that was called."""
        return {verb: words for _, verb, words, _ in self._read()}

    def verbs(self) -> list[str]:
        """Return the verbs that were called, in their order."""
        return [verb for event, verb, _, _ in self._read() if event == "start"]

    def secrets(self) -> dict[str, str]:
        """Return the settings that reach the last verb by its environment alone."""
        return self._read()[-1][3]

    def _read(self) -> list[tuple[str, str, list[str], dict[str, str]]]:
        record = self.root / "calls"
        return [tuple(json.loads(line)) for line in record.read_text().splitlines()] if record.exists() else []


def make_project(root: Path, link: str = "common/project.mk") -> Project:
    """Write a project with a toolkit of recorders in common/ and `Makefile` as a link to it."""
    scripts = root / "common" / "scripts"
    scripts.mkdir(parents=True)
    shutil.copy(TOOLKIT / "project.mk", root / "common")
    (scripts / "project.mk").symlink_to("../project.mk")
    shutil.copy(TOOLKIT / "scripts" / "help.awk", scripts)
    shutil.copytree(TOOLKIT / "scripts" / "toolkit", scripts / "toolkit")
    (scripts / "verb.py").write_text(_RECORDER)
    (root / "Makefile").symlink_to(link)
    return Project(root)


def parse(verb: str, words: list[str]) -> Any:
    """Parse a recorded command line as the real verb does: an option it does not know ends the test."""
    return command_line.parse(verb, words)
