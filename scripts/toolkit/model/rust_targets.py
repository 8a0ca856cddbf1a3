"""The machines that Rust compiles for, and the conditions (`cfg(...)`) under which a crate needs another on them.

https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html#platform-specific-dependencies and
https://doc.rust-lang.org/reference/conditional-compilation.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from toolkit.core.foreign_text import quoted

_LONGEST, _DEEPEST = 4096, 32
_TOKEN = re.compile(r"""\s*(?:(?P<word>(?:r\#)?[A-Za-z_][A-Za-z0-9_]*)|(?P<text>"[^"\\]*")|(?P<sign>[(),=]))""")
#: The name of a target, or of a file that describes one.
_TRIPLE = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Machine:
    """One target: its name, and what holds on it: options (`unix`), and options with a value (`target_os="linux"`)."""

    triple: str
    options: frozenset[str]


def _machine(triple: str, system: str, arch: str, bits: str, **values: str) -> Machine:
    """Return a machine; `values` are those of its options that differ from the others'."""
    common = {"target_arch": arch, "target_pointer_width": bits, "target_endian": "little", "target_abi": "", **values}
    # rustc's answer as cargo asks it, which is before any profile.
    options = {"panic": ("unwind",), "target_has_atomic": ("", "8", "16", "32", "ptr", *(["64"] * (bits == "64")))}
    told = [f'{name}="{value}"' for name, value in (*common.items(), *_SYSTEMS[system])]
    told += [f'{name}="{value}"' for name, several in options.items() for value in several]
    told += [f'target_feature="{feature}"' for feature in _FEATURES.get(arch, ())]
    return Machine(triple, frozenset((*told, "debug_assertions", "target_has_atomic", *_FAMILY[system])))


#: Of those that crates ask for, what every machine of an architecture has.
_FEATURES = {"x86_64": ("fxsr", "sse", "sse2"), "x86": ("fxsr", "sse", "sse2"), "aarch64": ("neon",)}
_FAMILY = {"linux": ("unix", "target_thread_local"), "darwin": ("unix", "target_thread_local"), "win32": ("windows",)}
_SYSTEMS = {
    "linux": (("target_os", "linux"), ("target_family", "unix"), ("target_env", "gnu"), ("target_vendor", "unknown")),
    "darwin": (("target_os", "macos"), ("target_family", "unix"), ("target_env", ""), ("target_vendor", "apple")),
    "win32": (("target_os", "windows"), ("target_family", "windows"), ("target_env", "msvc"), ("target_vendor", "pc")),
}
#: By the `sys.platform` of their system: the machines of Debian's ports, and what developers have beside them.
_MACHINES = {
    "linux": (
        _machine("x86_64-unknown-linux-gnu", "linux", "x86_64", "64"),
        _machine("i686-unknown-linux-gnu", "linux", "x86", "32"),
        _machine("aarch64-unknown-linux-gnu", "linux", "aarch64", "64"),
        _machine("armv7-unknown-linux-gnueabihf", "linux", "arm", "32", target_abi="eabihf"),
        _machine("armv5te-unknown-linux-gnueabi", "linux", "arm", "32", target_abi="eabi"),
        _machine("powerpc64le-unknown-linux-gnu", "linux", "powerpc64", "64"),
        _machine("riscv64gc-unknown-linux-gnu", "linux", "riscv64", "64"),
        _machine("s390x-unknown-linux-gnu", "linux", "s390x", "64", target_endian="big"),
        _machine("loongarch64-unknown-linux-gnu", "linux", "loongarch64", "64"),
        _machine("mips64el-unknown-linux-gnuabi64", "linux", "mips64", "64", target_abi="abi64"),
    ),
    "darwin": (
        _machine("x86_64-apple-darwin", "darwin", "x86_64", "64"),
        _machine("aarch64-apple-darwin", "darwin", "aarch64", "64"),
    ),
    "win32": (
        _machine("x86_64-pc-windows-msvc", "win32", "x86_64", "64"),
        _machine("aarch64-pc-windows-msvc", "win32", "aarch64", "64"),
    ),
}


def machines(systems: Iterable[str]) -> tuple[Machine, ...]:
    """Return the machines of these systems, each by its `sys.platform`; unknown ones have none."""
    return tuple(machine for system in sorted(set(systems)) for machine in _MACHINES.get(system, ()))


def holds(condition: str, among: Collection[Machine]) -> bool:
    """Tell whether a condition, `cfg(...)` or a target's name, holds on any of the machines.

    What nobody sets (`docsrs`, `loom`) does not hold. Raises `ValueError` for what is no condition.
    """
    return any(_holds(condition, machine) for machine in among) if among else _holds(condition, _NOWHERE)


_NOWHERE = Machine("", frozenset())


@lru_cache(maxsize=1 << 14)
def _holds(condition: str, machine: Machine) -> bool:
    text = condition.strip()
    if len(text) > _LONGEST:
        raise ValueError(f"a condition of more than {_LONGEST} characters: {quoted(condition)}")
    if not text.startswith("cfg(") and _TRIPLE.fullmatch(text):
        return text == machine.triple
    reader = _Reader(condition, machine)
    if text.startswith("cfg(") and reader.take() == "cfg":
        reader.expect("(")
        found = reader.condition(0)
        reader.expect(")")
        if not reader.tokens:
            return found
    raise reader.error()


class _Reader:
    """Reads one condition, from the left; `tokens` are those left, the next of them last."""

    def __init__(self, text: str, machine: Machine) -> None:
        self._text, self._options = text, machine.options
        self.tokens: list[str] = []
        place, text = 0, text.rstrip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if not found:
                raise self.error()
            self.tokens.append(found[found.lastgroup or 0].removeprefix("r#"))
            place = found.end()
        self.tokens.reverse()

    def error(self) -> ValueError:
        return ValueError(f"no condition of a target: {quoted(self._text)}")

    def take(self) -> str:
        if not self.tokens:
            raise self.error()
        return self.tokens.pop()

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise self.error()

    def _next_is(self, token: str) -> bool:
        return bool(self.tokens) and self.tokens[-1] == token

    def condition(self, depth: int) -> bool:
        word = self.take()
        if depth > _DEEPEST or not (word[0].isalpha() or word[0] == "_"):
            raise self.error()
        if self._next_is("("):
            return self._combined(word, depth)
        if self._next_is("="):
            self.take()
            value = self.take()
            if not value.startswith('"'):
                raise self.error()
            return f"{word}={value}" in self._options
        return word == "true" or (word != "false" and word in self._options)

    def _combined(self, word: str, depth: int) -> bool:
        found: list[bool] = []
        self.expect("(")
        while not self._next_is(")"):
            found.append(self.condition(depth + 1))
            if not self._next_is(")"):
                self.expect(",")
        self.expect(")")
        if word == "not" and len(found) == 1:
            return not found[0]
        if word not in ("all", "any"):
            raise self.error()
        return all(found) if word == "all" else any(found)
