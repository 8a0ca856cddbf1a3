"""One logical line of a requirements.txt, as pip understands it."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from urllib.parse import unquote

from packaging.requirements import InvalidRequirement, Requirement

from toolkit.core.errors import FinalError, UserError
from toolkit.core.foreign_text import quoted
from toolkit.model import archive_names
from toolkit.project import lines

_INDEX = "an index is a machine's setting: remove the line, and use INDEX_URL=, EXTRA_INDEX_URL= or pip.conf"
_BUILD = "remove it: a build here takes no options of a requirement"
#: Options of pip that have no place in a requirements.txt here, and what to do instead.
_REFUSED = {
    "-e --editable": "name the package alone: a package of this project tree is found by its name",
    "-i --index-url --pypi-url --extra-index-url --no-index -f --find-links --trusted-host": _INDEX,
    "--no-binary": "remove the line: everything is taken as source unless vendor.txt names it",
    "--only-binary --prefer-binary": "remove the line, and name the distribution in vendor.txt to take its wheels",
    "--pre": "remove the line, and ask for the version: `name>=2.0rc1` allows pre-releases of that name alone",
    "--require-hashes": "remove the line: the lock holds the sha256 of every file",
    "--use-feature": "remove the line: it is a setting of pip itself",
    "--global-option --install-option --config-settings --config-setting -C": _BUILD,
}
_HINTS = {option: hint for options, hint in _REFUSED.items() for option in options.split()}
_INCLUDES = {"-r": False, "--requirement": False, "-c": True, "--constraint": True}
_VCS = re.compile(r"^(?:[\w.\[\],-]+\s*@\s*)?(?:(?:git|hg|svn|bzr)\+|(?:git|ssh|svn)://|git@[\w.-]+:)", re.IGNORECASE)
_SYNTAX = "write `name`, `name[extra]>=1.2; python_version >= '3.11'` or `name @ https://host/name-1.2.tar.gz`"
_URL_HINT = "give the URL of a source archive: `name @ https://host/name-1.2.tar.gz`"


@dataclass(frozen=True, kw_only=True)
class Include:
    """`-r path` or (`is_constraint`) `-c path`; the path is as written."""

    path: str
    is_constraint: bool


@dataclass(frozen=True, kw_only=True)
class Directory:
    """A path instead of a name, such as `./lib[http]`; `marker` may be empty."""

    path: str
    extras: tuple[str, ...]
    marker: str = ""


@dataclass(frozen=True, kw_only=True)
class NamedRequirement:
    """A requirement; `hashes` are its `--hash` options, such as `sha256:0123...`."""

    requirement: Requirement
    text: str
    hashes: tuple[str, ...]


def parse(text: str, origin: str) -> Include | Directory | NamedRequirement:
    """Understand one line (without its comment). Raises `UserError` that begins with `origin`, which is `file:line`."""
    if text.startswith("-"):
        return _include(text, origin)
    specification, *rest = re.split(r"\s+(?=-)", text, maxsplit=1)
    if _VCS.match(specification):
        raise UserError(
            f"{origin}: a version control URL: `{specification}`",
            f"make it a submodule of this project, or {_URL_HINT}",
        )
    hashes = _hashes(rest[0] if rest else "", origin)
    if _is_path(specification):
        path, extras, marker = _split_path(specification.removeprefix("file:"))
        if marker:
            _requirement(f"path ; {marker}", origin)
        return Directory(path=path, extras=extras, marker=marker)
    if re.match(r"[A-Za-z][\w+.-]*:/", specification):
        specification = _named_url(specification, origin)
    requirement = _requirement(specification, origin)
    if requirement.url:
        _check_url(requirement.url, origin)
    return NamedRequirement(requirement=requirement, text=specification, hashes=hashes)


def _include(text: str, origin: str) -> Include:
    option, value = _split_option(text, origin)
    if option in _HINTS:
        # Where the project's people mean another index, what they name is asked for at no other one.
        kind = FinalError if _HINTS[option] == _INDEX else UserError
        raise kind(f"{origin}: {option} is not allowed here: `{text}`", _HINTS[option])
    if option not in _INCLUDES:
        raise UserError(f"{origin}: unknown option: `{text}`", "only -r FILE and -c FILE may stand here")
    if not value:
        raise UserError(f"{origin}: {option} needs the name of a file", f"write `{option} other.txt`")
    return Include(path=value, is_constraint=_INCLUDES[option])


def _split_option(text: str, origin: str) -> tuple[str, str]:
    """Split `--name=value`, `--name value`, `-nvalue` and `-n value`."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UserError(f"{origin}: {error}: `{text}`", _SYNTAX) from None
    if not words[0].startswith("--") and len(words[0]) > 2:
        words[:1] = [words[0][:2], words[0][2:].removeprefix("=")]
    option, equals, value = words[0].partition("=")
    return option, " ".join(([value] if equals else []) + words[1:])


def _hashes(options: str, origin: str) -> tuple[str, ...]:
    found = []
    for word in re.split(r"\s+(?=-)", options) if options else ():
        option, value = _split_option(word, origin)
        if option != "--hash":
            hint = _HINTS.get(option, "only --hash may follow a requirement")
            raise UserError(f"{origin}: {option} is not allowed here: `{word}`", hint)
        if not re.fullmatch(r"\w+:[0-9a-fA-F]+", value):
            raise UserError(f"{origin}: not a hash: `{value}`", "write --hash=sha256: and 64 hexadecimal digits")
        found.append(value.lower())
    return tuple(found)


def _is_path(text: str) -> bool:
    """Tell a path from a name as pip does: it has a separator, or begins with a dot."""
    if text.startswith("file:"):
        return not text.startswith("file:///") or not text.partition("#")[0].partition("?")[0].endswith(
            archive_names.ENDINGS
        )
    before = re.split(r"\s*@|;", text, maxsplit=1)[0]
    return text.startswith(".") or ("/" in before and not re.match(r"[A-Za-z][\w+.-]*:/", text))


def _split_path(text: str) -> tuple[str, tuple[str, ...], str]:
    before, _, marker = text.partition(";")
    found = re.fullmatch(r"(.+?)(?:\[([^\]]*)\])?", before.strip())
    path, extras = (found[1], found[2]) if found else (before, "")
    return path.strip(), tuple(extra.strip() for extra in (extras or "").split(",") if extra.strip()), marker.strip()


def _named_url(text: str, origin: str) -> str:
    """Turn a bare URL into `name @ url`, with the name of its `#egg=` or of the archive, `name-version.tar.gz`."""
    url, *marker = re.split(r"\s+;|;\s+", text, maxsplit=1)
    parts = lines.split_url(url, origin)
    egg = re.search(r"(?:^|&)egg=([^&]+)", parts.fragment)
    stem, ending = archive_names.split(unquote(parts.path.rsplit("/", 1)[-1]))
    archive = re.fullmatch(r"([A-Za-z0-9][\w.-]*?)-(\d[^-]*)", stem) if ending else None
    if parts.path.endswith(".whl"):
        _check_url(url, origin)
    if not egg and not archive:
        raise UserError(f"{origin}: cannot tell which distribution this is: `{url}`", _URL_HINT)
    name = unquote(egg[1]) if egg else archive[1] if archive else ""
    return f"{name} @ {url}" + (f" ; {marker[0].strip()}" if marker else "")


def _check_url(url: str, origin: str) -> None:
    parts = lines.split_url(url, origin)
    if parts.scheme not in ("https", "http", "file"):
        raise UserError(f"{origin}: cannot fetch `{url}`", _URL_HINT)
    if parts.path.endswith(".whl"):
        raise UserError(
            f"{origin}: a wheel, where a source archive is wanted: `{url}`",
            f"{_URL_HINT}; or name the distribution in requirements.txt and in vendor.txt",
        )
    if not parts.path.endswith(archive_names.ENDINGS):
        raise UserError(f"{origin}: not an archive: `{url}`", f"the URL must end in {', '.join(archive_names.ENDINGS)}")
    if "subdirectory=" in parts.fragment:
        raise UserError(f"{origin}: a subdirectory of an archive: `{url}`", "give an archive of that alone")


def _requirement(text: str, origin: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{origin}: not a requirement: `{text}`: {reason}", _SYNTAX) from None
    except RecursionError:
        raise UserError(f"{origin}: {quoted(text)} is nested too deeply", _SYNTAX) from None
