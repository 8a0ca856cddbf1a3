"""Ansible, run on a stand: its progress, the meaning of its failures, and the tasks that changed something."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path

from toolkit.core import console, directories, process
from toolkit.core.errors import UserError
from toolkit.network import tools_environment
from toolkit.project.settings import Settings
from toolkit.stand import ansible_variables
from toolkit.stand.ansible_variables import Guest
from toolkit.stand.base import Access, StandOptions

_TASK = re.compile(r"(?:TASK|PLAY|RUNNING HANDLER) \[(.*?)\] \**$")
_FATAL = re.compile(r"^fatal: \[.*?\]: (?:FAILED|UNREACHABLE)! =>[ ]*\n(?P<result>(?: .*\n|\n(?=\n* ))*)", re.MULTILINE)
#: What begins a text of several lines in YAML.
_BLOCK = re.compile(r"[|>]\d*[-+]?")
#: What Ansible's log puts before each message.
_PREFIX = re.compile(r"^\d{4}-\d\d-\d\d \S+ p=\d+ u=\S* n=\S* \w*\| ?", re.MULTILINE)


class Report:
    """The progress of Ansible, shown as it comes: tasks that changed something, and repeated attempts."""

    def __init__(self) -> None:
        self._task = ""
        self._shown = ""

    def line(self, text: str) -> None:
        """Show a line of Ansible's output if it tells of progress."""
        if task := _task(text):
            self._task = task
        elif text.startswith("FAILED - RETRYING"):
            console.note(f"          {text}")
        elif text.startswith("changed:") and self._shown != self._task:
            self._shown = self._task
            console.step("STAND", f"  {self._task}")


def run(access: Access, settings: Settings, options: StandOptions) -> tuple[str, ...]:
    """Provision a stand and return the tasks that changed something. Raises `UserError` when one fails."""
    is_own = options.kind not in ("remote", "local")
    guest = Guest(mode=options.mode, suite=options.suite, user=access.user, is_own=is_own)
    variables = ansible_variables.collect(settings, guest)
    program = _program(options)
    # The variables hold the user's ssh configuration, which nobody else may read: a temporary directory is private.
    with directories.scratch("stand-") as scratch:
        (scratch / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
        words: list[str | Path] = [program, *arguments(access, scratch / "variables.json"), playbook(settings)]
        return execute(words, _environment(settings), access.host, settings)


def execute(
    words: Sequence[str | Path], environment: Mapping[str, str], host: str, settings: Settings
) -> tuple[str, ...]:
    """Run a command that runs Ansible, and return the tasks that changed something; messages call the stand `host`.

    Ansible's log, build/logs/stand.log, has its whole output. Raises `UserError`.
    """
    log = settings.build / "logs" / "stand.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    try:
        process.run(words, cwd=settings.project, env={**environment, "ANSIBLE_LOG_PATH": str(log)}, watch=Report().line)
    except process.CommandError as error:
        raise explain(_read(log), error.output, host, log) from None
    return changed(_read(log))


def _read(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    return _PREFIX.sub("", text)


def changed(output: str) -> tuple[str, ...]:
    """Return the names of the tasks that changed something."""
    names, task = [], ""
    for line in output.splitlines():
        task = _task(line) or task
        if line.startswith("changed:"):
            names.append(task)
    return tuple(dict.fromkeys(names))


def _task(line: str) -> str:
    """Return the name of the task that begins with a line, `role: task`; empty where none does."""
    found = _TASK.match(line)
    return found[1].replace(" : ", ": ", 1) if found else ""


def playbook(settings: Settings) -> Path:
    """Return the project's own playbook, or the toolkit's where it has none."""
    own = settings.project / "stand" / "playbook.yml"
    return own if own.is_file() else settings.toolkit / "stand" / "playbook.yml"


def arguments(access: Access, variables: Path) -> list[str]:
    """Return the arguments of ansible-playbook, without the playbook."""
    ssh = [f"--ssh-common-args={' '.join(access.options)}"] if access.config else []
    way = ["--connection=local"] if access.is_local else ssh
    return ["--inventory", f"{access.host},", *way, "--extra-vars", f"@{variables}"]


def _program(options: StandOptions) -> Path:
    """Return ansible-playbook: the one asked for, or the pinned one, installed when it is missing."""
    if options.ansible:
        found = shutil.which(os.path.expanduser(options.ansible))
        if not found:
            raise UserError(f"ANSIBLE={options.ansible}: no such program", "name an ansible-playbook")
        return Path(found).absolute()
    # Of the stand's own directory, which a project's packages never see.
    requirements = Path(__file__).resolve().parents[3] / "stand" / "requirements.txt"
    return tools_environment.make(Path(sys.executable), requirements=requirements).parent / "ansible-playbook"


def _environment(settings: Settings) -> dict[str, str]:
    """Return Ansible's environment: its settings are those of the stand, not of the user's other work."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
    return {
        **kept,
        "ANSIBLE_CONFIG": str(settings.toolkit / "stand" / "ansible.cfg"),
        "PYTHONUNBUFFERED": "1",
        "ANSIBLE_NOCOLOR": "1",
    }


def explain(output: str, printed: str, host: str, log: Path) -> UserError:
    """Return the error for the user, with the output of the failed task (else all that was printed)."""
    found = _FATAL.search(output)
    tasks = [*filter(None, map(_task, output.splitlines()))]
    failure = _failure_text(found["result"].splitlines()) if found else printed[-4000:]
    if "UNREACHABLE!" in output:
        return UserError(f"{host}: can no longer be reached", "`make stand` goes on where it stopped", failure)
    if re.search(r"(?i)missing sudo password|sudo: a password is required|incorrect sudo password", output):
        return UserError(
            f"{host}: sudo asks for a password there",
            "let the user run everything without one, sudoers(5): NOPASSWD",
            failure,
        )
    again = f"mend it, and `make stand` goes on where it stopped; the whole output is in {log}"
    what = tasks[-1] if tasks else "Ansible did not start"
    return UserError(f"the stand is not ready: {what}", again, failure)


def _failure_text(lines: Sequence[str]) -> str:
    """Return the text of a failed task's result, in YAML: its errors, or its message, or the whole result."""
    for key in ("stderr", "module_stderr", "msg"):
        for number, line in enumerate(lines):
            found = re.match(rf"( *){key}: ?(.*)", line)
            if found and found[2] not in ("''", '""'):
                first = [] if _BLOCK.fullmatch(found[2]) else [found[2].strip("'\"")]
                return "\n".join([*first, *_block(lines[number + 1 :], len(found[1]))])
    return "\n".join(lines)


def _block(lines: Sequence[str], indent: int) -> list[str]:
    """Return the lines that are indented deeper, without that much space."""
    deeper = takewhile(lambda line: not line.strip() or len(line) - len(line.lstrip()) > indent, lines)
    return [line[indent + 4 :] for line in deeper]
