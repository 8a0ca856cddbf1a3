"""Load a service's configuration, and load it again."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from yc_common import _secrets
from yc_common.config import _check, _shape
from yc_common.config._problem import ConfigError, Origin
from yc_common.config._sources import Layers
from yc_common.config._types import Section, encode
from yc_common.config._yaml import Path

S = TypeVar("S", bound=Section)


class Value(msgspec.Struct, frozen=True):
    """One value in force, as it may be shown: secrets are masked."""

    path: str
    text: str
    origin: str


class Loader(Generic[S]):
    """The configuration of a service: a section class, and the sources that fill it.

    In rising priority: the class's defaults, `<directory>/config.yaml`, `<directory>/conf.d/*.yaml` by name, systemd
    credentials (files named by the dotted key, for `Secret` fields), environment variables
    `YC_<SERVICE>__<KEY>__<KEY>`, and `overrides` ("key.path=value"). The default directory is `/etc/yc/<service>`; one
    that is given must hold a configuration.
    """

    def __init__(
        self,
        section: type[S],
        service: str,
        *,
        directory: str | os.PathLike[str] | None = None,
        overrides: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.section = section
        self.service = service
        self._given = directory is not None
        self.directory = os.fspath(directory) if directory is not None else f"/etc/yc/{service}"
        self.overrides = tuple(overrides)
        self._environment = os.environ if environment is None else environment
        self._lock = threading.Lock()
        self._current: S | None = None
        self._origins: dict[Path, Origin] = {}
        self.files: tuple[str, ...] = ()
        self._previous: tuple[S | None, dict[Path, Origin], tuple[str, ...]] = (None, {}, ())

    @property
    def prefix(self) -> str:
        """The start of the environment variables that belong to this service."""
        return f"YC_{self.service.upper().replace('-', '_')}__"

    @property
    def current(self) -> S:
        """The configuration in force; loads it when that has not happened yet."""
        return self._current if self._current is not None else self.load()

    def load(self) -> S:
        """Read every source anew and put the result in force; raises `ConfigError` and changes nothing otherwise."""
        with self._lock:
            layers = Layers(self.section)
            layers.add_files(self.directory, self._given)
            credentials = self._environment.get("CREDENTIALS_DIRECTORY", "")
            if credentials:
                layers.add_credentials(credentials)
            layers.add_environment(self.prefix, self._environment)
            layers.add_overrides(self.overrides)
            value = self._build(layers)
            self._previous = self._current, self._origins, self.files
            self._current, self._origins, self.files = value, layers.origins, tuple(layers.files)
            return value

    def _build(self, layers: Layers) -> S:
        try:
            value = _check.build(self.section, layers.tree, layers.origins)
        except ConfigError as error:
            raise ConfigError([*layers.problems, *error.problems]) from None
        if layers.problems:
            raise ConfigError(layers.problems)
        return value

    def restore(self) -> None:
        """Put what was in force before the last `load()` back, when what uses it cannot follow the new one."""
        with self._lock:
            self._current, self._origins, self.files = self._previous

    def values(self) -> list[Value]:
        """Return every value in force, defaults too, with where it came from; secrets are masked."""
        found: list[Value] = []
        self._gather(self.section, self.current, (), found)
        return found

    def _gather(self, section: type[Section], value: Section, path: tuple[str, ...], found: list[Value]) -> None:
        for name, field in _shape.fields(section).items():
            one = getattr(value, field.name)
            here = (*path, name)
            if isinstance(one, Section):
                self._gather(type(one), one, here, found)
            else:
                hidden = one is not None and (_shape.is_secret(field.type) or _secrets.is_sensitive(name))
                plain = _secrets.MASK if hidden else msgspec.to_builtins(one, enc_hook=encode, str_keys=True)
                text = _secrets.masked(msgspec.json.encode(plain)).decode("utf-8", "replace")
                found.append(Value(".".join(here), text, self._origin(here)))

    def _origin(self, path: Path) -> str:
        """Return where a value came from: for a mapping or list of several sources, all of them."""
        inside = sorted({origin for known, origin in self._origins.items() if known[: len(path)] == path})
        files = dict.fromkeys(origin.source for origin in inside)
        if len(files) > 1:
            return ", ".join(files)
        return str(inside[0]) if inside else "default"


def load(
    section: type[S],
    service: str,
    *,
    directory: str | os.PathLike[str] | None = None,
    overrides: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> S:
    """Return the configuration of a service (see `Loader`); raises `ConfigError` with every mistake in it."""
    return Loader(section, service, directory=directory, overrides=overrides, environment=environment).load()
