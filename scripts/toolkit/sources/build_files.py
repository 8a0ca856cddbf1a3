"""What CMake and Meson are told to find, whatever the machine and the options: what no condition and no option spares.

https://cmake.org/cmake/help/latest/command/find_package.html and https://mesonbuild.com/Dependencies.html
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

CMAKE, MESON = "CMakeLists.txt", "meson.build"
_CMAKE_COMMENT = re.compile(r"#[^\n]*")
_COMMAND = re.compile(r"\b(?P<name>[A-Za-z_]\w*)\s*\((?P<rest>[^()]*)")
_CMAKE_OPENS = frozenset({"if", "foreach", "while", "function", "macro"})
_CMAKE_CLOSES = frozenset(f"end{name}" for name in _CMAKE_OPENS)
#: A word of Meson that opens or closes a block, or a call with its arguments (in which others may stand, one deep).
_MESON = re.compile(
    r"^[ \t]*(?P<block>if|foreach|endif|endforeach)\b"
    r"|\b(?P<name>(?<!\.)dependency|find_program|find_library|subdir|project|add_languages)"
    r"\s*\((?P<rest>(?:[^()']|'(?:[^'\\\n]|\\.)*'|\((?:[^()']|'[^'\n]*'|\([^()]*\))*\))*)\)",
    re.MULTILINE,
)
_MESON_COMMENT = re.compile(r"'''.*?'''|('(?:[^'\\\n]|\\.)*')|#[^\n]*", re.DOTALL)
_MESON_NAMES = {"dependency": "{}.pc", "find_program": "{}", "find_library": "lib{}.so"}
_TEXT = re.compile(r"'([^'\\\n]*)'")
#: `required: false`, or what an option says; that it is not Windows is sure.
_SPARED = re.compile(r"\brequired\s*:(?!\s*(?:true\b|[\w.]+\(\)\s*!=\s*'(?:msvc|windows)'))|\bdisabler\s*:")
_FALLBACK = re.compile(r"\bfallback\s*:\s*\[?\s*'([^'\n]*)'")


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What one file names, as `debian_names` spells it, and the directories whose files are read as well."""

    names: tuple[str, ...]
    directories: tuple[str, ...]


def cmake(files: Mapping[str, bytes], top: str) -> frozenset[str]:
    """Return what the CMakeLists.txt in the directory `top`, and those that it always adds, require."""
    return _walk(files, top, CMAKE, _read_cmake)


def meson(files: Mapping[str, bytes], top: str) -> frozenset[str]:
    """Return what the meson.build in the directory `top`, and those that it always adds, require.

    A dependency that a subproject in the source tree takes the place of is not required.
    """
    subprojects = {path.split("/")[1] for path in files if path.startswith("subprojects/") and path.count("/") > 1}
    return _walk(files, top, MESON, lambda text: _read_meson(text, subprojects))


def _walk(files: Mapping[str, bytes], top: str, file: str, read: Callable[[str], _Found]) -> frozenset[str]:
    names: set[str] = set()
    seen: set[str] = set()
    left = [posixpath.normpath(top)]
    while left:
        directory = left.pop()
        path = posixpath.normpath(f"{directory}/{file}")
        if path in files and path not in seen:
            seen.add(path)
            found = read(files[path].decode("utf-8", "replace"))
            names |= set(found.names)
            left += [posixpath.normpath(f"{directory}/{name}") for name in found.directories]
    return frozenset(names)


def _read_cmake(text: str) -> _Found:
    names: list[str] = []
    directories: list[str] = []
    depth = 0
    for match in _COMMAND.finditer(_CMAKE_COMMENT.sub("", text)):
        name, words = match["name"].lower(), match["rest"].replace('"', " ").split()
        if name in _CMAKE_CLOSES:
            depth -= 1
        elif name in _CMAKE_OPENS:
            depth += 1
        elif name == "return" and depth <= 0:
            break
        elif depth <= 0 and words:
            names += _cmake_names(name, words)
            directories += words[:1] if name == "add_subdirectory" else []
    return _Found(names=tuple(names), directories=tuple(directories))


def _cmake_names(command: str, words: list[str]) -> Iterator[str]:
    if "REQUIRED" not in words:
        return
    if command == "find_package":
        yield f"{words[0]}.cmake"
    elif command in ("pkg_check_modules", "pkg_search_module"):
        modules = [re.split("[<>=]", word)[0] for word in words[1:] if word.lower() == word]
        # The second command takes the first that is there.
        if command == "pkg_check_modules" or len(modules) == 1:
            yield from (f"{module}.pc" for module in modules)


def _read_meson(text: str, subprojects: Collection[str]) -> _Found:
    names: list[str] = []
    directories: list[str] = []
    depth = 0
    for match in _MESON.finditer(_MESON_COMMENT.sub(lambda found: found[1] or "", text)):
        if block := match["block"]:
            depth += -1 if block.startswith("end") else 1
        elif depth == 0 and not _SPARED.search(match["rest"]):
            found = _TEXT.match(match["rest"].strip())
            fallback = _FALLBACK.search(match["rest"])
            if match["name"] in ("project", "add_languages"):
                names += ["gfortran"] if "'fortran'" in match["rest"] else []
            elif not found or {found[1], fallback[1] if fallback else ""} & {*subprojects}:
                continue
            elif match["name"] == "subdir":
                directories.append(found[1])
            else:
                names.append(_MESON_NAMES[match["name"]].format(found[1]))
    return _Found(names=tuple(names), directories=tuple(directories))
