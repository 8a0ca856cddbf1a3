"""The types that a configuration class is written with."""

from __future__ import annotations

import re
import sys
from typing import Any, ClassVar, Self, dataclass_transform

import msgspec

from yc_common import _secrets


class _SectionMeta(msgspec.StructMeta):
    """Makes every section frozen and keyword-only: msgspec does not inherit the latter."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> Any:
        return super().__new__(
            cls, name, bases, namespace, **{"frozen": True, "kw_only": True, "forbid_unknown_fields": True, **options}
        )


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class Section(msgspec.Struct, metaclass=_SectionMeta, frozen=True):
    """A part of the configuration: subclass it, one annotated field a key, with a default unless it must be given.

    Types are those of msgspec (`int`, `str`, `list[...]`, `dict[str, ...]`, `Literal`, enums, other sections, and
    `Annotated[int, msgspec.Meta(ge=1)]` for bounds), those of this module, and any class with a class method
    `from_config(value)` that raises `ValueError`. A rule between fields is a `__post_init__` that raises `ValueError`.
    """


class Secret:
    """A text that is never printed: `reveal()` returns it, everything else shows `***`, also in log lines."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        _secrets.remember(value)

    @classmethod
    def from_config(cls, value: object) -> Self:
        """Make one of a configuration value; raises `ValueError` unless it is a text."""
        return cls(_text(value))

    def reveal(self) -> str:
        """Return the text itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({_secrets.MASK!r})"

    def __str__(self) -> str:
        return _secrets.MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        import hmac  # takes the same time whatever differs; few services compare secrets

        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a Secret is not to be pickled; pass what reveal() returns to the one who needs it")


class Duration(float):
    """A time in seconds, written as `30`, `0.5`, `250ms`, `30s`, `5m`, `1h30m` or `7d`."""

    _UNITS: ClassVar = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

    @classmethod
    def from_config(cls, value: object) -> Self:
        """Make one of a number of seconds or a text; raises `ValueError`."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            seconds = float(value)
        else:
            text = _text(value, "a time such as 30s or 5m")
            parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|$)", text)
            if not parts or "".join(number + unit for number, unit in parts) != text:
                raise ValueError("expected a time such as 250ms, 30s, 5m or 1h30m")
            seconds = sum(float(number) * cls._UNITS[unit or "s"] for number, unit in parts)
        if not 0 <= seconds < float("inf"):
            raise ValueError("expected a time that is finite and not negative")
        return cls(seconds)


class Size(int):
    """A number of bytes, written as `4096`, `64KiB`, `10MiB`, `1GiB`, or in powers of ten as `10MB`."""

    _UNITS: ClassVar = {
        "": 1,
        "B": 1,
        **{f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGT", 1)},
        **{f"{prefix}B": 1000**power for power, prefix in enumerate("kMGT", 1)},
    }

    @classmethod
    def from_config(cls, value: object) -> Self:
        """Make one of a number of bytes or a text; raises `ValueError`."""
        if isinstance(value, int) and not isinstance(value, bool):
            if value < 0:
                raise ValueError("expected a size that is not negative")
            return cls(value)
        found = re.fullmatch(r"(\d+) ?([kKMGT]?i?B?)", _text(value, "a size such as 10MiB"))
        if not found or found[2] not in cls._UNITS:
            raise ValueError("expected a size such as 4096, 64KiB or 10MB")
        return cls(int(found[1]) * cls._UNITS[found[2]])


class Address:
    """Where to listen or connect: `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`, or `unix:/run/service/socket`."""

    __slots__ = ("host", "path", "port")

    def __init__(self, host: str = "", port: int = 0, path: str = "") -> None:
        self.host, self.port, self.path = host, port, path

    @classmethod
    def from_config(cls, value: object) -> Self:
        """Make one of a text; raises `ValueError`."""
        text = _text(value, "an address such as 127.0.0.1:8080")
        if text.startswith("unix:"):
            path = text.removeprefix("unix:")
            if not path.startswith(("/", "@")) or len(path.encode()) > 107:
                raise ValueError("expected unix: and an absolute path of at most 107 bytes")
            return cls(path=path)
        found = re.fullmatch(r"(?:\[([0-9a-fA-F:.%\w]+)\]|([\w.\-]*)):(\d{1,5})", text)
        if not found or int(found[3]) > 65535:
            raise ValueError("expected an address such as 127.0.0.1:8080, [::1]:8080 or unix:/run/service/socket")
        return cls(found[1] or found[2], int(found[3]))

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


def decode(wanted: type, value: object) -> object:
    """Turn a value into one of the types that msgspec does not know by itself (its `dec_hook`)."""
    if isinstance(value, wanted):
        return value
    if wanted is getattr(sys.modules.get("pathlib"), "Path", None):
        return wanted(_text(value, "a path"))
    make = getattr(wanted, "from_config", None)
    if make is None:
        raise NotImplementedError(f"a configuration field cannot be of the type {wanted!r}: give it from_config()")
    return make(value)


def encode(value: object) -> object:
    """Turn a value of such a type into what is printed of it (msgspec's `enc_hook`)."""
    if isinstance(value, Duration):
        return float(value)
    return int(value) if isinstance(value, Size) else str(value)


def _text(value: object, wanted: str = "str") -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected {wanted}")
    return value
