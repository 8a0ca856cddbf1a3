"""What one distribution is built with besides what its own files say: config settings (PEP 517) and variables.

https://peps.python.org/pep-0517/#config-settings
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from toolkit.core import secrets
from toolkit.core.errors import UserError
from toolkit.core.foreign_text import quoted

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: What every build gets alike, or what would put other programs, files or hosts into it than those that are locked.
_RESERVED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|PWD|TMP|TEMP|TMPDIR|TZ|LANG|LANGUAGE|LC_.*|XDG_.*|IFS|ENV|BASH_.*|"
    r"SOURCE_DATE_EPOCH|FAKETIME.*|NO_FAKE_STAT|LD_.*|GLIBC_.*|GCONV_PATH|.*_PROXY|PYTHON.*|VIRTUAL_ENV|PIP_.*|UV_.*|"
    r"CCACHE_.*|GIT_.*|DEB_BUILD_OPTIONS|CARGO_HOME|CARGO_NET_.*|CARGO_INCREMENTAL|CARGO_ENCODED_RUSTFLAGS|RUSTUP_.*|"
    r"MATURIN_NO_INSTALL_RUST",
    re.IGNORECASE,
)
_SWITCHES = frozenset({"0", "1", "on", "off", "yes", "no", "true", "false", "auto", "system", "none"})
#: Flags of compilers, which are added to those of the system.
FLAG_VARIABLES = ("CFLAGS", "CPPFLAGS", "CXXFLAGS", "FFLAGS", "LDFLAGS")
Value = str | tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class BuildSettings:
    """`config` are config settings, each with a text or several, and `environment` variables; both sorted by name."""

    config: tuple[tuple[str, Value], ...] = ()
    environment: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything is set."""
        return bool(self.config or self.environment)

    @property
    def config_settings(self) -> dict[str, str | list[str]]:
        """Return the config settings as a hook takes them."""
        return {key: value if isinstance(value, str) else list(value) for key, value in self.config}

    @property
    def identity(self) -> tuple[str, ...]:
        """Return what tells one build from another: nothing where nothing is set."""
        return (json.dumps([self.config, self.environment]),) if self else ()

    def described(self) -> Iterator[str]:
        """Yield each setting as a person reads it."""
        yield from (f"{name}={value}" for name, value in self.environment)
        for key, value in self.config:
            yield from (f"-C {key}={text}" for text in ((value,) if isinstance(value, str) else value))


NONE = BuildSettings()


def of(config: Mapping[str, object], environment: Mapping[str, object]) -> BuildSettings:
    """Return checked settings. Raises `UserError`, without a place, for what cannot be one."""
    return BuildSettings(
        config=tuple(sorted((key, config_value(key, value)) for key, value in config.items())),
        environment=tuple(sorted((name, variable(name, value)) for name, value in environment.items())),
    )


def variable(name: str, value: object) -> str:
    """Return the value of a variable. Raises `UserError`, without a place, for what cannot be one."""
    if not _NAME.fullmatch(name):
        raise UserError(f"{quoted(name)} is no name of a variable", "write letters, digits and underscores")
    if _RESERVED.fullmatch(name):
        raise UserError(
            f"{name} is not for builds to set: it is the same for all of them, or would bring in what is not locked",
            "remove it; what builds a distribution besides is named in build-requirements.txt or debian/control",
        )
    return _text(name, value)


def config_value(key: str, value: object) -> Value:
    """Return the value of a config setting: a text, or several. Raises `UserError` as `variable` does."""
    if not key or not key.isprintable():
        raise UserError(f"{quoted(key)} is no name of a config setting", "write what `pip -C` has before the `=`")
    if isinstance(value, (list, tuple)) and value:
        return tuple(_text(key, item) for item in value)
    return _text(key, value)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise UserError(f"{name} is no text of one line: {quoted(repr(value))}", f'write {name} = "..."')
    # What turns something on or off is no secret, whatever it is called.
    if secrets.masked(name, value) != value and value.lower() not in _SWITCHES:
        raise UserError(
            f"{name} looks like a secret, which would stand in git, in the lock and in logs",
            "remove it (a build has no network, and needs none), and make it invalid if it was ever committed",
        )
    return value
