"""The settings of the limits."""

from __future__ import annotations

import argparse
import os
import socket
from contextlib import ExitStack
from dataclasses import replace

import pytest

from toolkit.core.errors import UserError
from toolkit.sandbox import limits
from toolkit.sandbox.limits import LimitError, Watch


def read(*words: str) -> limits.Limits:
    parser = argparse.ArgumentParser()
    limits.add_options(parser)
    return limits.from_arguments(parser.parse_args(words))


@pytest.mark.parametrize("text", ["0", "-1", "1.5G", "64k", "8GB", "", "99999T", "9" * 5000])
def test_what_is_no_size_is_refused_with_a_value_to_write(text: str) -> None:
    with pytest.raises(UserError, match=r"SANDBOX_OUTPUT=.*: not a size from 1B to 1024T\n") as caught:
        read(f"--sandbox-output={text}")
    assert caught.value.hint.endswith("SANDBOX_OUTPUT=1G")


def test_less_memory_than_any_program_begins_with_is_a_slip() -> None:
    with pytest.raises(UserError, match=r"SANDBOX_MEMORY=8: not a size from 1M "):
        read("--sandbox-memory=8")


@pytest.mark.parametrize(("text", "shown"), [("10", "10B"), ("10B", "10B"), ("2048", "2K"), ("1024T", "1024T")])
def test_sizes_are_shown_as_they_may_be_given(text: str, shown: str) -> None:
    assert limits.shown(read(f"--sandbox-output={text}").output) == shown


def test_where_sockets_may_hold_too_much_what_the_machine_has_lost_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter((3 << 30, 3 << 30, 1 << 30))
    room = limits._Room.of([])
    monkeypatch.setattr(limits._Room, "of", lambda _: replace(room, memory=next(left)))
    watch = Watch(limits=read("--sandbox-memory=1G"), directories=())
    with ExitStack() as stack:
        for _ in range(100):
            for end in socket.socketpair():
                stack.enter_context(end)
        watch.look(os.getpid())
        with pytest.raises(LimitError, match="more than 1G of memory"):
            watch.look(os.getpid())
