"""Import modules and load shared libraries: `load_worker.py REQUEST RESULT`, run by their environment's interpreter.

The request (JSON) has `groups`, each with the `modules` and `libraries` of one distribution, the most `seconds` that
one item may take, modules that are to be `absent`, and `paths` that have some, too. What fails is tried once more by
itself, `jobs` at once, before it counts; the result is a list of that. The standard library alone, as this is started
by its path.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib
import json
import os
import re
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

#: Characters of a text, and lines of a traceback, that are told.
_LONGEST, _MOST_LINES = 1000, 40
#: What the dynamic linker says of a library that is not there.
_NOT_FOUND = re.compile(r"([^\s/]+\.so[.0-9]*): cannot open shared object file")
#: Names of libraries that one item has looked for in vain, by ctypes.
_MISSED: list[str] = []
#: What stands at the beginning of each traceback.
_OURS = (__file__, importlib.__file__, ctypes.__file__, "<frozen importlib")


class Item(NamedTuple):
    """A module to import (by name), or a library to load (by path) when the modules `before` have been imported."""

    is_module: bool
    name: str
    before: tuple[str, ...] = ()


class Absent:
    """A finder of modules that are not to be found, though the system has them."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> None:
        """Raise what an import of such a module raises; setuptools puts another distutils in the place of that."""
        system = os.path.dirname(os.__file__)
        if name in self._names and all(place.startswith(system) for place in path or ()):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def note_missed_libraries() -> None:
    """Keep the names that `find_library` of ctypes finds nothing for: what is raised then seldom names them."""
    find = ctypes.util.find_library

    def find_library(name: str) -> str | None:
        found = find(name)
        if not found:
            _MISSED.append(f"lib{name}.so")
        return found

    ctypes.util.find_library = find_library


class Child:
    """A process that goes through items, one after the other, and tells of each when it begins and how it ended."""

    def __init__(self, items: Sequence[Item], seconds: float) -> None:
        self._items, self._seconds = items, seconds
        self._place, self._is_over = -1, True
        self._since, self._rest = time.monotonic(), b""
        self.failures: dict[Item, dict[str, Any]] = {}
        self.reading, writing = os.pipe()
        os.set_blocking(self.reading, False)
        self._status: int | None = None
        sys.stdout.flush()
        self._pid = os.fork()
        if not self._pid:
            os.close(self.reading)
            _go_through(items, writing)
        os.close(writing)

    def read(self) -> bool:
        """Take what it tells; false at its end."""
        try:
            data = os.read(self.reading, 1 << 16)
        except BlockingIOError:
            # A process that a module has started may hold the pipe open for longer than this one lives.
            return self._status is None
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            told = json.loads(line)
            self._place, self._is_over = told["item"], told["over"]
            self._since = time.monotonic()
            if told["failure"]:
                self.failures[self._items[self._place]] = told["failure"]
        return bool(data)

    def look(self) -> bool:
        """End it where one item takes too long; tell whether it has ended."""
        if not self._is_over and time.monotonic() - self._since > self._seconds:
            os.kill(self._pid, signal.SIGKILL)
        if self._status is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            self._status = status if pid else None
        return self._status is not None

    def end(self) -> Sequence[Item]:
        """Return the items that it has not come to, when it is over."""
        os.close(self.reading)
        if self._status is None:
            _, self._status = os.waitpid(self._pid, 0)
        if not self._is_over:
            took = time.monotonic() - self._since
            code = os.waitstatus_to_exitcode(self._status)
            self.failures[self._items[self._place]] = _ended(code, took if took > self._seconds else 0)
        return self._items[self._place + 1 :]


def _ended(code: int, took: float) -> dict[str, Any]:
    if took:
        return _failure("Timeout", f"it is not done after {took:.0f} s")
    if code < 0:
        return _failure("Crash", f"the interpreter was ended by {signal.Signals(-code).name}")
    return _failure("SystemExit", f"the interpreter ended with status {code}")


def _failure(kind: str, text: str, **more: Any) -> dict[str, Any]:
    trace = [_plain(line) for line in more.pop("traceback", ())]
    libraries = [_plain(name) for name in more.pop("libraries", ())]
    texts = {"type": kind, "text": text, "file": "", "about": "", **more}
    lists = {"bases": [], "traceback": trace[-_MOST_LINES:], "libraries": libraries[:_MOST_LINES]}
    return {**lists, **{name: _plain(value) for name, value in texts.items()}}


def _plain(value: Any) -> Any:
    """Return a text on one line, of characters that can be printed, and not too long."""
    if not isinstance(value, str):
        return value
    return "".join(character if character.isprintable() else " " for character in value[:_LONGEST])


def _go_through(items: Sequence[Item], told: int) -> None:
    own = os.getpid()
    try:
        for place, item in enumerate(items):
            _tell(told, item=place, over=False, failure=None)
            failure = _try(item)
            if os.getpid() != own:
                # The copy that a module has made of this process: the original goes on.
                break
            _tell(told, item=place, over=True, failure=failure)
    finally:
        # Without what modules have registered for the end of a program.
        os._exit(0)


def _tell(told: int, **what: object) -> None:
    os.write(told, json.dumps(what).encode() + b"\n")


def _try(item: Item) -> dict[str, Any] | None:
    _MISSED.clear()
    try:
        if item.is_module:
            importlib.import_module(item.name)
        else:
            _load(item)
    except BaseException as error:
        return _describe(error)
    return None


def _load(item: Item) -> None:
    for module in item.before:
        importlib.import_module(module)
    handle = ctypes.CDLL(item.name, mode=os.RTLD_LAZY | os.RTLD_LOCAL)
    if hasattr(handle, f"PyInit_{os.path.basename(item.name).partition('.')[0]}"):
        # As an import does.
        ctypes.CDLL(item.name, mode=os.RTLD_NOW | os.RTLD_LOCAL)


def _describe(error: BaseException) -> dict[str, Any]:
    """Return the type and the text of an error, the file that raised it, and what it says of a module or a file."""
    kind, trace = type(error), error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename.startswith(_OURS):
        trace = trace.tb_next
    frames = [frame.filename for frame in traceback.extract_tb(trace) if frame.filename[:1] != "<"]
    place, about = frames[-1] if frames else "", ""
    if isinstance(error, SyntaxError):
        place = error.filename or ""
    elif isinstance(error, ImportError):
        about = error.name or ""
        if error.path and error.path.endswith(".so"):
            place = error.path
    elif isinstance(error, OSError) and isinstance(error.filename, str):
        about = error.filename
    return _failure(
        kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}",
        str(error),
        bases=[_plain(base.__name__) for base in kind.__mro__],
        file=place,
        about=about,
        libraries=dict.fromkeys((*_NOT_FOUND.findall(str(error)), *_MISSED)),
        traceback="".join(traceback.format_exception(kind, error, trace)).splitlines(),
    )


def run(batches: Sequence[Sequence[Item]], jobs: int, seconds: float) -> dict[Item, dict[str, Any]]:
    """Go through batches of items, each in a process of its own, so many at once; return what failed."""
    waiting = [batch for batch in batches if batch]
    running: dict[int, Child] = {}
    failures: dict[Item, dict[str, Any]] = {}
    with selectors.DefaultSelector() as selector:
        while waiting or running:
            while waiting and len(running) < jobs:
                child = Child(waiting.pop(0), seconds)
                running[child.reading] = child
                selector.register(child.reading, selectors.EVENT_READ)
            told = {key.fd for key, _ in selector.select(0.5)}
            told |= {fd for fd, child in running.items() if child.look()}
            for fd in told:
                child = running[fd]
                if not child.read():
                    selector.unregister(fd)
                    del running[fd]
                    left = child.end()
                    failures |= child.failures
                    if left:
                        waiting.insert(0, left)
    return failures


def items_of(group: dict[str, list[str]]) -> Iterator[Item]:
    """Yield what is to be tried of one distribution, modules first."""
    modules = tuple(group["modules"])
    yield from (Item(True, name) for name in modules)
    yield from (Item(False, path, modules) for path in group["libraries"])


def main(request: str, result: str) -> None:
    """Try everything, and write what failed twice."""
    with open(request, encoding="utf-8") as stream:
        wanted = json.load(stream)
    jobs, seconds = wanted["jobs"], wanted["seconds"]
    sys.path.extend(wanted["paths"])
    # Before the finder of files, and behind those that distributions have added.
    sys.meta_path.insert(-1, Absent(wanted["absent"]))
    note_missed_libraries()
    # One process imports what they share once: two take the same time, and twice the processor's.
    first = run([[item for group in wanted["groups"] for item in items_of(group)]], jobs, seconds)
    failed = {item.name for item in first}
    alone = [item._replace(before=tuple(name for name in item.before if name not in failed)) for item in first]
    again = run([[item] for item in alone], jobs, seconds)
    # Not in the order in which processes have ended.
    failures = sorted(again.items(), key=lambda pair: pair[0])
    found = [{"is_module": item.is_module, "name": item.name, **failure} for item, failure in failures]
    with open(result, "w", encoding="utf-8") as stream:
        json.dump(found, stream)


if __name__ == "__main__":
    main(*sys.argv[1:])
