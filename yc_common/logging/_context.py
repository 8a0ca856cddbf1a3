"""What belongs to every line of a request or an operation, carried by contextvars through tasks and threads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_NOTHING: Mapping[str, object] = MappingProxyType({})

#: Never changed in place, so that a task's copy stays its own.
fields: ContextVar[Mapping[str, object]] = ContextVar("yc_common_log_fields", default=_NOTHING)


def new_id() -> str:
    """Return a new request or operation id: 16 hexadecimal digits."""
    return os.urandom(8).hex()


@contextmanager
def context(**values: object) -> Iterator[None]:
    """Add fields to every line that is logged inside the block, also by tasks started in it."""
    token = fields.set({**fields.get(), **values})
    try:
        yield
    finally:
        fields.reset(token)


def bind(**values: object) -> None:
    """Add fields to every further line of the current task or thread."""
    fields.set({**fields.get(), **values})


@contextmanager
def operation(name: str, **values: object) -> Iterator[str]:
    """Mark the lines of one piece of work with its name and a new id, which the block gets."""
    identity = new_id()
    with context(operation=name, operation_id=identity, **values):
        yield identity


def current() -> dict[str, object]:
    """Return the fields in force here."""
    return dict(fields.get())


def request_id() -> str:
    """Return the request id in force here, or an empty text."""
    return str(fields.get().get("request_id", ""))
