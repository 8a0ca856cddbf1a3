"""Compile the modules below a directory. Run by the interpreter that will load them, so standard library only.

Arguments: the directory of the modules, the one that gets the byte code, and the final path of both. The byte code is
of the unchecked hash-based kind (PEP 552): no time stamps, and no look at the source when it is loaded.

Nobody has to trust the modules: none is run, and one that crashes the compiler, or takes too much of it, is given up,
which a line of output says. A child compiles, until it dies; the next one goes on behind the module where it did.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import py_compile
import resource
import signal
import sys
import warnings
from collections.abc import Iterator

GIVEN_UP = "given up: "
#: Bytes, and seconds of processor: a source of 10 MB takes 1 GiB and 20 s.
_MEMORY = 4 << 30
_LONGEST, _ALL = 60, 600


def modules(directory: str) -> Iterator[str]:
    """Yield the source files below a directory, always in the same order."""
    for parent, directories, names in os.walk(directory):
        directories.sort()
        yield from (os.path.join(parent, name) for name in sorted(names) if name.endswith(".py"))


def compile_module(path: str, target: str, final: str) -> None:
    """Compile one file to `target`; `final` is the path that the source will have.

    What is not Python of this version (templates, test data) is left alone, as pip and compileall do; so is what takes
    more memory than there may be.
    """
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    with contextlib.suppress(py_compile.PyCompileError, ValueError, RecursionError):
        py_compile.compile(path, target, dfile=final, doraise=True, invalidation_mode=mode)


def main(source: str, written: str, final: str) -> None:
    """Compile all modules below `source`."""
    names = [path[len(source) :] for path in modules(source)]
    first, left = 0, float(_ALL)
    while first < len(names):
        if left < 1:
            print(f"{GIVEN_UP}{final}{names[first]}, and all behind it: {_ALL} s are over")
            return
        place, reason, used = _in_child(names, first, int(left), (source, written, final))
        if not reason:
            return
        target = importlib.util.cache_from_source(written + names[place])
        if os.path.exists(target):
            os.unlink(target)
        print(f"{GIVEN_UP}{final}{names[place]}: {reason}", flush=True)
        first, left = place + 1, left - used


def _in_child(names: list[str], first: int, seconds: int, places: tuple[str, str, str]) -> tuple[int, str, float]:
    """Compile from a module on; return the last one, why it was given up (if it was), and the seconds that all took."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _compile(names, first, seconds, places, writing)
    os.close(writing)
    last = first.to_bytes(4, "big")
    while told := os.read(reading, 1 << 12):
        last = told[-4:]
    os.close(reading)
    _, status, usage = os.wait4(child, 0)
    return int.from_bytes(last, "big"), _reason(os.waitstatus_to_exitcode(status)), usage.ru_utime + usage.ru_stime


def _reason(code: int) -> str:
    if code == 0:
        return ""
    if code == -signal.SIGXCPU:
        return "it takes the compiler too long"
    return f"the compiler ends with {code}"


def _compile(names: list[str], first: int, seconds: int, places: tuple[str, str, str], told: int) -> None:
    """Compile from a module on, in a process of its own, which ends with it; `told` gets the place of each."""
    source, written, final = places
    code = 1
    try:
        _limit(resource.RLIMIT_AS, _MEMORY)
        _limit(resource.RLIMIT_CORE, 0)
        for place in range(first, len(names)):
            os.write(told, place.to_bytes(4, "big"))
            usage = resource.getrusage(resource.RUSAGE_SELF)
            _limit(resource.RLIMIT_CPU, min(int(usage.ru_utime + usage.ru_stime) + _LONGEST, seconds))
            name = names[place]
            compile_module(source + name, importlib.util.cache_from_source(written + name), final + name)
        code = 0
    finally:
        os._exit(code)


def _limit(what: int, most: int) -> None:
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
