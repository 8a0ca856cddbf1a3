"""The commands that a Procfile or a Dockerfile starts a program by, read as data.

A line that only a shell could make sense of is passed over, with the reason.
https://devcenter.heroku.com/articles/procfile, https://docs.docker.com/reference/dockerfile/#cmd
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from toolkit.core import documents
from toolkit.core.foreign_text import quoted
from toolkit.scaffold.program import SERVERS, Program, Sources

_WRAPPERS = (("poetry", "run"), ("uv", "run"), ("pdm", "run"), ("pipenv", "run"), ("hatch", "run"), ("rye", "run"))
#: Operators, substitutions and globs: all that a shell does but to put in the values of variables.
_OF_A_SHELL = re.compile(r"[|&;<>()`\n]|\$[^A-Za-z_{]|\$\{\w++(?!\}|:-[\w.:/-]*\})")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_WITH_DEFAULT = re.compile(r"\$\{(\w+):-([^}]*)\}")
_PORT = re.compile(r"\$(PORT\b|\{PORT\})")
_PYTHON = re.compile(r"python3?(\.\d+)?")
MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
FUNCTION = re.compile(r"(?P<module>[A-Za-z_][\w.]*):(?P<name>[A-Za-z_][\w.]*)(\s*\[.*\])?")
_PROGRAM = re.compile(r"[A-Za-z0-9][\w.+-]*")
_LINE_OF_PROCFILE = re.compile(r"(?P<name>[A-Za-z0-9_-]+):\s*(?P<command>\S.*)")
_INSTRUCTION = re.compile(r"\s*(?P<name>FROM|CMD|ENTRYPOINT)\s+(?P<value>.*)", re.IGNORECASE | re.DOTALL)


class _PassedOverError(ValueError):
    """Why a command cannot be taken."""


def of_procfile(sources: Sources) -> Iterator[Program]:
    """Yield the processes of a Procfile, what gets requests first."""
    processes: dict[str, tuple[str, str]] = {}
    for place in sources.places:
        path = place / "Procfile"
        for number, line in enumerate(sources.files.text(path).splitlines(), 1):
            if match := _LINE_OF_PROCFILE.fullmatch(line.strip()):
                processes.setdefault(match["name"], (f"{path}:{number}", match["command"]))
    # `web` is what gets requests; `release` runs once for each release.
    for name in sorted(processes, key=lambda name: name != "web"):
        origin, command = processes[name]
        if name != "release" and (program := _taken(sources, origin, _words(command), process=name)):
            yield program


def of_dockerfile(sources: Sources) -> Iterator[Program]:
    """Yield what the last stage of a Dockerfile starts."""
    for place in sources.places:
        path = place / "Dockerfile"
        said: dict[str, tuple[int, str]] = {}
        for number, line in _instructions(sources.files.text(path)):
            match = _INSTRUCTION.match(line)
            if match and match["name"].upper() == "FROM":
                said.clear()
            elif match:
                said[match["name"].upper()] = (number, match["value"].strip())
        if not said:
            continue
        number = max(number for number, _ in said.values())
        entry, command = (_form(said[name][1]) if name in said else [] for name in ("ENTRYPOINT", "CMD"))
        # An entry point that prepares something runs what CMD says.
        both = [*entry, *command]
        for words in [both] if not command or not entry else [both, command]:
            if program := _taken(sources, f"{path}:{number}", words, silently=words is not command and bool(command)):
                yield program
                return


def _instructions(text: str) -> Iterator[tuple[int, str]]:
    """Yield the instructions of a Dockerfile, each with the line where it begins; lines may be continued."""
    begun, parts = 0, []
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        begun = begun or number
        parts.append(line.rstrip().removesuffix("\\"))
        if not line.rstrip().endswith("\\"):
            yield begun, " ".join(parts)
            begun, parts = 0, []


def _form(value: str) -> list[str]:
    """Return the words of an instruction in either form, one that has to be split itself where a shell gets it."""
    if value.startswith("["):
        try:
            words = documents.json_value(value.encode())
        except ValueError:
            words = None
        if isinstance(words, list) and words and all(isinstance(word, str) for word in words):
            return _words(words[2]) if words[:2] in (["sh", "-c"], ["/bin/sh", "-c"], ["bash", "-c"]) else words
    return _words(value)


def _words(text: str) -> list[str]:
    """Return the words of a line for a shell, which stays one word where only a shell can make sense of it."""
    if _OF_A_SHELL.search(text):
        return [text]
    try:
        return shlex.split(text)
    except ValueError:
        return [text]


def _taken(
    sources: Sources, origin: str, words: Sequence[str], *, process: str = "", silently: bool = False
) -> Program | None:
    try:
        return replace(_parse(sources, list(words)), origin=origin, process=process)
    except _PassedOverError as error:
        if not silently:
            sources.files.unread.append(f"{origin}: {quoted(shlex.join(words))} {error}, so it is not taken")
        return None


def _parse(sources: Sources, words: list[str]) -> Program:
    if not words or not all(word.isprintable() for word in words):
        raise _PassedOverError("is no command")
    if any(_OF_A_SHELL.search(word) for word in words):
        raise _PassedOverError("is a line for a shell")
    given: dict[str, str] = {}
    while words and (words[0] in ("exec", "env") or _ASSIGNMENT.fullmatch(words[0])):
        if match := _ASSIGNMENT.fullmatch(words.pop(0)):
            given[match[1]] = match[2]
    if tuple(words[:2]) in _WRAPPERS:
        words = words[2:]
    if not words or words[0].startswith("-"):
        raise _PassedOverError("is no command")
    text = " ".join(words)
    given |= {name: default for name, default in _WITH_DEFAULT.findall(text) if name not in given}
    if _PORT.search(_WITH_DEFAULT.sub(r"${\1}", text)):
        given.setdefault("PORT", "8000")
    plain = [_WITH_DEFAULT.sub(r"${\1}", word) for word in words]
    return replace(_started(sources, plain), environment=given)


def _started(sources: Sources, words: list[str]) -> Program:
    name, rest = PurePosixPath(words[0]).name, words[1:]
    if _PYTHON.fullmatch(name):
        while rest and rest[0] in ("-u", "-B", "-O", "-OO", "-I", "-E", "-s"):
            rest = rest[1:]
        if rest[:1] == ["-m"] and len(rest) > 1 and MODULE.fullmatch(rest[1]):
            return Program(module=rest[1], words=tuple(rest[2:]), imports=_imported(rest[1], rest[2:]))
        if not rest or rest[0].startswith("-"):
            raise _PassedOverError("has options of Python that are not known here")
        words, rest = rest, rest[1:]
    if words[0].endswith(".py"):
        module = _module_of(sources, words[0])
        return Program(module=module, words=tuple(rest), imports=module)
    if name in sources.scripts and (match := FUNCTION.fullmatch(sources.scripts[name])):
        return Program(function=f"{match['module']}:{match['name']}", words=tuple(rest), imports=match["module"])
    if not _PROGRAM.fullmatch(name):
        raise _PassedOverError("starts no program that Python's distributions have")
    if not sources.provides(name):
        raise _PassedOverError(f"starts {name}, which no requirement brings")
    return Program(command=name, words=tuple(rest), imports=_imported(name, rest))


def _imported(program: str, words: Sequence[str]) -> str:
    """Return the module of the application that a server is told to serve."""
    if program not in SERVERS:
        return program if MODULE.fullmatch(program) and program != "flask" else ""
    found = (match["module"] for word in words if (match := re.match(r"(?P<module>[A-Za-z_][\w.]*):[A-Za-z_]", word)))
    return next(found, "")


def _module_of(sources: Sources, script: str) -> str:
    """Return the module that a script of the directory is; an image may have it anywhere (`/app/main.py`)."""
    parts = PurePosixPath(script).parts
    for begin in range(len(parts)):
        path = PurePosixPath(*parts[begin:])
        for base in dict.fromkeys((sources.directory, sources.root)):
            if ".." in path.parts or not sources.files.has(base / path):
                continue
            module = ".".join((base / path).relative_to(base).with_suffix("").parts).removeprefix("src.")
            if MODULE.fullmatch(module):
                return module
    raise _PassedOverError("starts a file that is no module here")
