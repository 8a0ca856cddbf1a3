"""Completion, in a real interactive bash at a pseudo-terminal, with the package bash-completion and without it.

And in zsh, in the same way, and in fish, which says itself what its Tab offers.
"""

from __future__ import annotations

import os
import pty
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.makefile.project import TOOLKIT, VERBS, Project

PACKAGE = Path("/usr/share/bash-completion/bash_completion")
SCRIPTS = TOOLKIT / "scripts"
SNIPPET = SCRIPTS / "completion.bash"
BASH = ("bash", "--noprofile", "--norc", "-i")
BASH_SETTINGS = (
    "bind 'set bell-style none'; bind 'set show-all-if-ambiguous on'",
    "bind 'set page-completions off'; bind 'set enable-bracketed-paste off'",
)
ZSH = ("zsh", "-f", "-i")
ZSH_SETTINGS = (
    "unset zle_bracketed_paste; unsetopt prompt_sp prompt_cr; bindkey -e; autoload -Uz compinit; compinit -u -D",
    # What Alt-* is in bash: all that Tab offers is put into the line.
    "zle -C all complete-word _generic; zstyle ':completion:all:*' completer _all_matches _complete",
    "zstyle ':completion:all:*' insert true; bindkey '\\e*' all",
)


class Shell:
    """An interactive shell."""

    def __init__(self, directory: Path, command: tuple[str, ...], settings: tuple[str, ...], *sourced: Path) -> None:
        pid, self._master = pty.fork()
        if pid == 0:
            os.chdir(directory)
            environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(directory), "PS1": "> "}
            os.execvpe(command[0], command, environment)
        self._pid, self.has_package = pid, PACKAGE in sourced
        for line in (*settings, *(f". {path}" for path in sourced)):
            self.run(line)

    def run(self, line: str) -> str:
        """Run a command and return what it prints in one line."""
        return self._type(f"{line}; echo ' ''done'\n").rpartition("\n")[2]

    def complete(self, line: str) -> list[str]:
        """Return the words of a line after all that Tab offers has been put into it."""
        # Alt-* does that; then the line is printed, not run.
        shown = self._type(f"{line}\x1b*\x01printf '<%s>' \x05; echo ' ''done'\n").rpartition("\n")[2]
        return re.findall(r"<([^>]*)>", shown)

    def _type(self, keys: str) -> str:
        os.write(self._master, keys.encode())
        shown = ""
        while not shown.endswith(" done\r\n> "):
            shown += os.read(self._master, 65536).decode()
        return shown.removesuffix(" done\r\n> ")

    def close(self) -> None:
        os.write(self._master, b"\x15exit\n")
        os.waitpid(self._pid, 0)
        os.close(self._master)


@pytest.fixture(params=[(), (PACKAGE,)], ids=["alone", "with-bash-completion"])
def bash(project: Project, request: pytest.FixtureRequest) -> Iterator[Shell]:
    (project.root / "common" / "scripts" / "completion.awk").write_bytes((SCRIPTS / "completion.awk").read_bytes())
    shell = Shell(project.root, BASH, BASH_SETTINGS, *request.param, SNIPPET)
    yield shell
    shell.close()


def test_targets_and_settings_are_those_of_help(bash: Shell, project: Project) -> None:
    listed = re.findall(r"^  (\S+)", project.make("help").stdout, re.M)
    offered = bash.complete("make ")[1:]
    assert set(offered) == {f"{name}=" if name.isupper() else name for name in listed}
    assert len(offered) > len(VERBS)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("make vend", ["vendor"]),
        ("make RESO", ["RESOLVER="]),
        ("make vendor RESOLVER=", ["RESOLVER=pip-tools", "uv"]),
        ("make vendor INDEX_STRATEGY=", ["INDEX_STRATEGY=best-match", "first-index"]),
        ("make V=", ["V=0", "1", "2"]),
        ("make -C api/.. vend", ["vendor"]),
        ("make SUITES=tri", ["SUITES=trixie"]),
    ],
)
def test_words_are_completed(bash: Shell, project: Project, line: str, offered: list[str]) -> None:
    (project.root / "api" / "bin").mkdir(parents=True)
    assert sorted(bash.complete(line)[-len(offered) :]) == sorted(offered)


def test_names_come_from_the_lock_and_directories_from_the_project(bash: Shell, project: Project) -> None:
    (project.root / "vendor").mkdir()
    (project.root / "vendor" / "pylock.api.toml").write_text('[[packages]]\nname = "flask"\nversion = "1"\n')
    (project.root / "api" / "bin").mkdir(parents=True)
    assert bash.complete("make vendor UPGRADE=fl") == ["make", "vendor", "UPGRADE=flask"]
    assert bash.complete("make SERVICES=") == ["make", "SERVICES=api"]
    assert bash.complete("make vendor SERVICE=") == ["make", "vendor", "SERVICE=api"]


def test_names_may_follow_a_verb_on_distributions(bash: Shell, project: Project) -> None:
    locked(project)
    assert bash.complete("make why fl") == ["make", "why", "flask", "flit-core"]
    assert bash.complete("make tree -s fla") == ["make", "tree", "-s", "flask"]
    assert bash.complete("make remove NAME=ji") == ["make", "remove", "NAME=jinja2"]
    assert bash.complete("make remove ji") == ["make", "remove", "jinja2"]
    assert bash.complete("make build fl") == ["make", "build", "fl"]
    assert bash.complete("make vendor UPGRADE=fli") == ["make", "vendor", "UPGRADE=flit-core"]
    assert bash.complete("make tree FORMAT=m") == ["make", "tree", "FORMAT=mermaid"]


def test_what_is_offered_is_never_run(bash: Shell, project: Project) -> None:
    (project.root / "vendor").mkdir()
    (project.root / "vendor" / "pylock.api.toml").write_text(
        '[[packages]]\nname = "$(touch${IFS}run-1)"\nversion = "1"\n\n[[packages]]\nname = "flask"\nversion = "1"\n'
    )
    (project.root / "$(touch${IFS}run-2)" / "bin").mkdir(parents=True)
    (project.root / "$(touch${IFS}run-3).lock").touch()
    assert bash.complete("make why fl") == ["make", "why", "flask"]
    for line in ("make vendor UPGRADE=", "make SERVICES=", "make DESTDIR=", "make vendor FROM="):
        bash._type(f"{line}\x1b?\x15echo ' ''done'\n")
    assert not [*project.root.rglob("run-*")]


def locked(project: Project) -> None:
    """Give a project a lock with something that is shipped, and something that builds it."""
    for name in ("awk", "bash", "zsh", "fish"):
        path = project.root / "common" / "scripts" / f"completion.{name}"
        path.write_bytes((SCRIPTS / path.name).read_bytes())
    (project.root / "vendor").mkdir()
    (project.root / "vendor" / "pylock.api.toml").write_text(
        '[[packages]]\nname = "flask"\nversion = "1"\n\n'
        '[[tool.python-common.build-packages]]\nname = "flit-core"\nversion = "2"\n'
    )
    (project.root / "api" / "bin").mkdir(parents=True)
    (project.root / "api" / "requirements.txt").write_text("jinja2>=3\n")


CASES = [
    ("make vend", ["vendor"]),
    ("make RESO", ["RESOLVER="]),
    ("make vendor RESOLVER=", ["RESOLVER=pip-tools", "RESOLVER=uv"]),
    ("make vendor UPGRADE=fl", ["UPGRADE=flask", "UPGRADE=flit-core"]),
    ("make why fl", ["flask", "flit-core"]),
    ("make remove NAME=j", ["NAME=jinja2"]),
    ("make -C api/.. vend", ["vendor"]),
    ("make SERVICES=", ["SERVICES=api"]),
]


@pytest.mark.skipif(
    not shutil.which("zsh"), reason="zsh is not installed: `make setup` installs it for the toolkit's tests"
)
def test_zsh_completes_the_same(project: Project) -> None:
    locked(project)
    shell = Shell(project.root, ZSH, ZSH_SETTINGS, project.root / "common" / "scripts" / "completion.zsh")
    try:
        assert {line: shell.complete(line)[len(line.split()) - 1 :] for line, _ in CASES} == dict(CASES)
        assert "--dry-run" in shell.complete(f"{TOOLKIT / 'create-virtual-environment'} --dr")
        assert project.make("-s", "completion-zsh").stdout == f"source {project.root}/common/scripts/completion.zsh\n"
        shell.run("cd vendor && echo 'their-target:' > Makefile")
        assert shell.complete("make their-") == ["make", "their-target"]
    finally:
        shell.close()


@pytest.mark.skipif(
    not shutil.which("fish"), reason="fish is not installed: `make setup` installs it for the toolkit's tests"
)
def test_fish_completes_the_same(project: Project) -> None:
    locked(project)
    environment = {"PATH": os.environ["PATH"], "HOME": str(project.root)}

    def complete(line: str, directory: Path = project.root) -> list[str]:
        source = project.make("-s", "completion-fish").stdout.strip()
        words = ["fish", "--command", f"{source}; complete --do-complete {shlex.quote(line)}"]
        done = subprocess.run(
            words, cwd=directory, env=environment, text=True, capture_output=True, check=True, timeout=60
        )
        assert done.stderr == ""
        return [offered.partition("\t")[0] for offered in done.stdout.splitlines()]

    assert {line: complete(line) for line, _ in CASES} == dict(CASES)
    assert "--dry-run" in complete(f"{TOOLKIT / 'create-virtual-environment'} --dr")
    (project.root / "vendor" / "Makefile").write_text("their-target:\n\ttrue\n")
    assert "their-target" in complete("make their-", project.root / "vendor")


def test_names_to_remove_come_from_requirements_and_locks_of_others_from_the_project(
    bash: Shell, project: Project
) -> None:
    (project.root / "api").mkdir()
    (project.root / "api" / "requirements.txt").write_text("# ours\nflask[async]>=3\n-r more.txt\n")
    (project.root / "uv.lock").touch()
    assert bash.complete("make remove NAME=fl") == ["make", "remove", "NAME=flask"]
    assert bash.complete("make vendor FROM=") == ["make", "vendor", "FROM=uv.lock"]


def test_in_any_other_directory_make_completes_as_before(bash: Shell, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "Makefile").write_text("their-target:\n\ttrue\n")
    (elsewhere / "their-file").touch()
    bash.run(f"cd {elsewhere}")
    # bash-completion knows targets; bash alone knows files.
    assert bash.complete("make their-") == ["make", "their-target" if bash.has_package else "their-file"]


def test_a_makefile_of_the_projects_own_is_read_too(bash: Shell, project: Project) -> None:
    (project.root / "Makefile").unlink()
    (project.root / "Makefile").write_text("include common/project.mk\n#: Ours\nour-target:\n\ttrue\n")
    assert bash.complete("make our-") == ["make", "our-target"]
    assert bash.complete("make vend") == ["make", "vendor"]


def test_the_makefile_that_new_project_writes_is_one(bash: Shell, project: Project) -> None:
    (project.root / "Makefile").unlink()
    text = (TOOLKIT / "templates/project/Makefile.in").read_text()
    (project.root / "Makefile").write_text(text.replace("@namespace@", "acme"))
    assert bash.complete("make submod") == ["make", "submodules"]
    assert bash.complete("make vend") == ["make", "vendor"]


def test_scripts_complete_the_options_that_their_parsers_have(bash: Shell) -> None:
    for script in (TOOLKIT / "create-virtual-environment", TOOLKIT / "scripts" / "new-service"):
        assert "--dry-run" in bash.complete(f"{script} --dr")
    assert "--pycharm" in bash.complete(f"{TOOLKIT / 'create-virtual-environment'} --py")
