"""Where the files of an sdist tell that its build may download: a suspicion, which only a build confirms.

An option, or a library of the system, may spare what they fetch.
"""

from __future__ import annotations

import posixpath
import re

from toolkit.archives.archive import Survey
from toolkit.core.foreign_text import one_line
from toolkit.project.pyproject import BuildSystem
from toolkit.sources import build_files


def _told(pattern: str) -> re.Pattern[str]:
    """Return what finds a line with a pattern that no comment hides."""
    return re.compile(rf"^[^#\n]*?(?:{pattern}).*", re.MULTILINE)


#: What downloads for those that it builds: https://github.com/asottile/setuptools-download
BUILDERS = frozenset({"setuptools-download"})
#: Called by words of a list, or in a line of a shell.
_PROGRAMS = (
    r"""["'](?:git["'],\s*["']clone|(?:npm|yarn|pnpm)["'],\s*["'](?:install|ci)|go["'],\s*["']build)["']"""
    r"|\b(?:git\s+clone\s+(?:[$/{-]|\w+[:@])|(?:npm|yarn|pnpm)\s+(?:install|ci)\b|go\s+build\b)"
)
#: By the end of a file's name. https://cmake.org/cmake/help/latest/module/FetchContent.html,
#: https://cmake.org/cmake/help/latest/module/ExternalProject.html,
#: https://mesonbuild.com/Wrap-dependency-system-manual.html
_CMAKE = _told(r"\b(?:FetchContent_Declare|ExternalProject_Add)\s*\(|\bfile\s*\(\s*DOWNLOAD\b")
_TELLING = {
    f"/{build_files.CMAKE}": _CMAKE,
    ".cmake": _CMAKE,
    ".py": _told(rf"\b(?:urlopen|urlretrieve|(?:requests|httpx)\.get)\s*\(|{_PROGRAMS}"),
    ".sh": _told(rf"\b(?:curl|wget)\s|{_PROGRAMS}"),
    ".wrap": _told(r"^(?:source_url|url)\s*="),
}
_BUILDS = re.compile(r"(?:^|_)(?:setup|build|backend)(?:_\w+)?\.py")
_CALLS_CMAKE = re.compile(r"cmake|scikit[-_]build|py-build-cmake")
#: The most of a line that a message shows.
_SHOWN = 60
#: What a build does not read, most of the time.
_ASIDE = re.compile(r"(?:^|/)(?:tests?|testing|examples?|docs?|samples?|bench\w*|ci|\.\w+)/", re.IGNORECASE)
#: What tests are written with.
_OF_TESTS = re.compile(r"g(?:oogle)?(?:test|mock)|catch|doctest|benchmark", re.IGNORECASE)
#: Its sdist has what its build backend would fetch.
_HAVE_ALL = frozenset({"cmake"})


def reads(path: str) -> bool:
    """Tell whether `found` looks into the file of a path."""
    if not _pattern(path) or _ASIDE.search(path):
        return False
    if path.endswith(".wrap"):
        return posixpath.dirname(path) == "subprojects"
    # Other programs are what is built.
    return not _is_program(path) or "/" not in path or path.startswith("_")


def found(distribution: str, system: BuildSystem, survey: Survey) -> str:
    """Return the first place, as `file:line: text`, that tells of a download; nothing where there is none.

    `survey` has read what `reads` names, as bytes, beside setup.py.
    """
    if distribution in _HAVE_ALL:
        return ""
    read = {path: text for path, text in survey.read.items() if reads(path)} | dict(survey.named)
    builders = {path: text for path, text in read.items() if _builds(path, system)}
    callers = b"".join(text for path, text in builders.items() if path.endswith(".py"))
    called = {path: text for path, text in read.items() if posixpath.basename(path).encode() in callers}
    files = {**builders, **called}
    calls_cmake = _CALLS_CMAKE.search(" ".join(system.requires)) or b"cmake" in callers
    for path in sorted(files, key=lambda path: (path.count("/"), path)):
        pattern = _pattern(path)
        if not pattern or _is_there(path, survey) or (pattern is _CMAKE and not calls_cmake):
            continue
        text = files[path].decode("utf-8", "replace")
        for match in pattern.finditer(text):
            # What CMake declares may have its name on the next line.
            line = " ".join(text[match.start() : match.end() + _SHOWN].split())
            if not _OF_TESTS.search(line):
                number = 1 + text[: match.start()].count("\n")
                return f"{path}:{number}: {one_line(line, _SHOWN)}"
    return ""


def _pattern(path: str) -> re.Pattern[str] | None:
    return next((pattern for end, pattern in _TELLING.items() if f"/{path}".endswith(end)), None)


def _is_program(path: str) -> bool:
    return path.endswith((".py", ".sh"))


def _builds(path: str, system: BuildSystem) -> bool:
    """Tell whether a file is read by a build, by its name; other programs are run where such a file names them."""
    backend = f"{re.split('[.:]', system.backend)[0]}.py"
    return not _is_program(path) or "/" in path or path == backend or bool(_BUILDS.search(path))


def _is_there(path: str, survey: Survey) -> bool:
    """Tell whether the sdist has what a file of Meson's would fetch."""
    directory = f"{posixpath.splitext(path)[0]}/"
    return path.endswith(".wrap") and any(other.startswith(directory) for other in survey.paths)
