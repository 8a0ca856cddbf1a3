"""Where values come from: files, credentials, the environment and the command line, laid over one another."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Mapping

from yc_common.config import _shape, _yaml
from yc_common.config._problem import Origin, Problem, did_you_mean, dotted
from yc_common.config._types import Section
from yc_common.config._yaml import Path

#: Far above any configuration, far below what would hurt.
_LARGEST = 4 << 20
_ATTEMPTS = 50
_PAUSE = 0.02
#: Seconds that a file must have been left alone: one that is being written in place is empty for a moment.
_QUIET = 0.03

_Stamp = tuple[int, int, int, int]


class Layers:
    """The values so far, each with its origin; a later source is laid over the earlier ones."""

    def __init__(self, section: type[Section]) -> None:
        self.section = section
        self.tree: dict[str, object] = {}
        self.origins: dict[Path, Origin] = {}
        self.problems: list[Problem] = []
        self.files: list[str] = []

    def wrong(self, origin: Origin, path: str, what: str, hint: str = "") -> None:
        """Note a mistake."""
        self.problems.append(Problem(origin, path, what, hint))

    def add_files(self, directory: str, required: bool) -> None:
        """Add `config.yaml` and `conf.d/*.yaml` in the order of their names, all of one moment."""
        try:
            texts = _read_settled(directory)
        except OSError as error:
            self.wrong(Origin(str(error.filename or directory)), "", f"cannot be read: {error.strerror or error}")
            return
        if required and not texts:
            self.wrong(Origin(directory), "", "holds neither config.yaml nor conf.d/*.yaml")
        for file in _misnamed(directory):
            self.wrong(Origin(file), "", "would be ignored", f"rename it to {os.path.basename(file)[:-4]}.yaml")
        for file, text in texts.items():
            self._add_file(file, text)

    def _add_file(self, file: str, raw: bytes) -> None:
        self.files.append(file)
        self.origins.setdefault((), Origin(file))
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.wrong(Origin(file, raw.count(b"\n", 0, error.start) + 1), "", "not UTF-8 text")
            return
        document = _yaml.read(text)
        for mistake in document.mistakes:
            self.wrong(Origin(file, mistake.line), "", mistake.what)
        if isinstance(document.value, dict):
            origins = {path: Origin(file, line) for path, line in document.lines.items()}
            self._lay(self.tree, document.value, (), origins)
        elif document.value is not None and not document.mistakes:
            self.wrong(Origin(file, 1), "", "expected keys with values, as in `key: value`")

    def _lay(
        self, under: dict[str, object], over: dict[str, object], path: Path, origins: Mapping[Path, Origin]
    ) -> None:
        """Merge mappings; anything else, lists too, replaces what was there with all that was known of it."""
        for key, value in over.items():
            here = (*path, key)
            current = under.get(key)
            if isinstance(current, dict) and (isinstance(value, dict) or value is None):
                self._lay(current, value or {}, here, origins)
                continue
            self._forget(here)
            # A mapping that an alias names twice is one object; what is laid over one place must not change the other.
            under[key] = value
            if isinstance(value, dict):
                fresh: dict[str, object] = {}
                under[key] = fresh
                self.origins[here] = _nearest(origins, here)
                self._lay(fresh, value, here, origins)
            else:
                self._note(value, here, origins)

    def _note(self, value: object, path: Path, origins: Mapping[Path, Origin]) -> None:
        self.origins[path] = _nearest(origins, path)
        inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, one in inside:
            self._note(one, (*path, key), origins)

    def _forget(self, path: Path) -> None:
        if path in self.origins:
            for known in [known for known in self.origins if known[: len(path)] == path]:
                del self.origins[known]

    def add_credentials(self, directory: str) -> None:
        """Add the secrets that systemd hands over: a file a secret, named by its dotted key."""
        for path in _shape.secrets(self.section):
            file = os.path.join(directory, dotted(path))
            try:
                with open(file, encoding="utf-8", newline="") as stream:
                    text = stream.read()
            except FileNotFoundError:
                continue
            except (OSError, UnicodeDecodeError) as error:
                self.wrong(Origin(file), dotted(path), f"cannot be read: {error}")
                continue
            self._set(path, text.removesuffix("\n"), Origin(f"credential {dotted(path)}"))

    def add_environment(self, prefix: str, environment: Mapping[str, str]) -> None:
        """Add the variables that start with the service's prefix: `YC_EXAMPLE_SERVICE__LOG__LEVEL` is `log.level`."""
        for name in sorted(environment):
            if name.startswith(prefix):
                path = tuple(name[len(prefix) :].lower().split("__"))
                self._add_text(path, environment[name], Origin(f"environment {name}"))

    def add_overrides(self, overrides: Iterable[str]) -> None:
        """Add `key.path=value` from the command line."""
        for override in overrides:
            name, separator, text = override.partition("=")
            origin = Origin(f"--set {name}")
            path = tuple(name.split("."))
            if not separator:
                self.wrong(origin, "", "has no value", f"write --set {name}=value")
            elif path in _shape.secrets(self.section):
                self.wrong(
                    origin,
                    name,
                    "a secret on the command line, where every user of the machine sees it",
                    f"give it as the systemd credential {name}",
                )
            else:
                self._add_text(path, text, origin)

    def _add_text(self, path: tuple[str, ...], text: str, origin: Origin) -> None:
        try:
            wanted = _shape.at(self.section, path)
        except KeyError as error:
            part, known = error.args
            self.wrong(origin, dotted(path), "unknown key", did_you_mean(str(part), known))
            return
        value: object = text
        if not _shape.takes_text(wanted):
            document = _yaml.read(text)
            value = document.value
            for mistake in document.mistakes:
                self.wrong(origin, dotted(path), mistake.what)
        self._set(path, value, origin)

    def _set(self, path: tuple[str, ...], value: object, origin: Origin) -> None:
        for part in reversed(path):
            value = {part: value}
        assert isinstance(value, dict)
        self._lay(self.tree, value, (), {(): origin})


def _nearest(origins: Mapping[Path, Origin], path: Path) -> Origin:
    for end in range(len(path), -1, -1):
        if path[:end] in origins:
            return origins[path[:end]]
    return Origin("unknown")


def _files(directory: str) -> list[str]:
    first = os.path.join(directory, "config.yaml")
    further = [os.path.join(directory, "conf.d", name) for name in _names(directory) if name.endswith(".yaml")]
    return [first, *further] if os.path.lexists(first) else further


def _names(directory: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(os.path.join(directory, "conf.d")) if not name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _misnamed(directory: str) -> list[str]:
    return [os.path.join(directory, "conf.d", name) for name in _names(directory) if name.endswith(".yml")]


def _read_settled(directory: str) -> dict[str, bytes]:
    """Read all files as they are at one moment: again when any of them changed, came or went meanwhile."""
    for _ in range(_ATTEMPTS):
        try:
            read = {file: _read(file) for file in _files(directory)}
            now = {file: _stamp(os.stat(file)) for file in _files(directory)}
            if now == {file: known for file, (_, known) in read.items()} and not any(map(_fresh, now.values())):
                return {file: text for file, (text, _) in read.items()}
        except FileNotFoundError as error:
            # It went between the listing and the reading, unless it never was there.
            if os.path.islink(error.filename) and not os.path.exists(error.filename):
                raise OSError(None, "a link that leads nowhere", str(error.filename)) from None
        time.sleep(_PAUSE)
    raise OSError(None, "keeps changing while it is read; write a new file and rename it into place", directory)


def _read(file: str) -> tuple[bytes, _Stamp]:
    # Not blocking: a named pipe in place of the file must not hang the service.
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(None, "not a regular file", file)
        if status.st_size > _LARGEST:
            raise OSError(None, f"larger than {_LARGEST >> 20} MiB", file)
        return stream.read(_LARGEST + 1), _stamp(status)


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _fresh(stamp: _Stamp) -> bool:
    return 0 <= time.time() - stamp[3] / 1e9 < _QUIET
