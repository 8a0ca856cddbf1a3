"""Looking into the annotations of a configuration class."""

from __future__ import annotations

import enum
import types
import typing
from functools import lru_cache
from typing import Annotated, Any, Literal, Union

import msgspec

from yc_common.config._types import Secret, Section
from yc_common.config._yaml import Path

_NOT_TEXT = (bool, int, float, type(None), list, tuple, set, frozenset, dict)


@lru_cache(maxsize=1024)
def fields(section: type[Section]) -> dict[str, msgspec.structs.FieldInfo]:
    """Return the fields of a section by the names that files use."""
    return {field.encode_name: field for field in msgspec.structs.fields(section)}


def members(wanted: Any) -> tuple[Any, ...]:
    """Return the alternatives of a type, without the `Annotated` around them."""
    while typing.get_origin(wanted) is Annotated:
        wanted = typing.get_args(wanted)[0]
    if typing.get_origin(wanted) in (Union, types.UnionType):
        return tuple(member for part in typing.get_args(wanted) for member in members(part))
    return (wanted,)


def section_of(wanted: Any) -> type[Section] | None:
    """Return the section that a type is, if it is one (or one or nothing)."""
    found = [member for member in members(wanted) if isinstance(member, type) and issubclass(member, Section)]
    return found[0] if len(found) == 1 else None


def item_of(wanted: Any, container: type) -> Any:
    """Return the type of the items of a list or the values of a mapping; None when it is neither."""
    for member in members(wanted):
        if typing.get_origin(member) is container:
            return typing.get_args(member)[-1]
    return None


def at(section: type[Section], path: Path) -> Any:
    """Return the type at a path; raises `KeyError` with the wrong part and the section that lacks it."""
    wanted: Any = section
    for part in path:
        inner = section_of(wanted)
        if inner is not None:
            if part not in fields(inner):
                raise KeyError(part, tuple(fields(inner)))
            wanted = fields(inner)[str(part)].type
        else:
            wanted = item_of(wanted, dict)
            if wanted is None:
                raise KeyError(part, ())
    return wanted


def takes_text(wanted: Any) -> bool:
    """Tell whether an environment variable's text is the value itself rather than YAML for it."""
    return all(
        (typing.get_origin(member) is Literal and all(isinstance(v, str) for v in typing.get_args(member)))
        or (
            isinstance(member, type)
            and not issubclass(member, msgspec.Struct)
            and (hasattr(member, "from_config") or issubclass(member, enum.Enum) or member not in _NOT_TEXT)
        )
        for member in members(wanted)
        if member is not type(None)
    )


def is_secret(wanted: Any) -> bool:
    """Tell whether a value of this type must not be shown."""
    return any(member is Secret or any(map(is_secret, typing.get_args(member))) for member in members(wanted))


def choices(wanted: Any) -> list[str]:
    """Return the values that an enum or a `Literal` allows."""
    allowed: list[str] = []
    for member in members(wanted):
        if typing.get_origin(member) is Literal:
            allowed += map(str, typing.get_args(member))
        elif isinstance(member, type) and issubclass(member, enum.Enum):
            allowed += [str(one.value) for one in member]
    return allowed


def secrets(section: type[Section], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the paths of all fields that are a `Secret`, through nested sections."""
    found: list[tuple[str, ...]] = []
    for name, field in fields(section).items():
        inner = section_of(field.type)
        if inner is not None:
            found += secrets(inner, (*path, name))
        elif Secret in members(field.type):
            found.append((*path, name))
    return found
