"""`make stand-test`: a stand is made, every service has to answer, and nothing may change the second time."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.stand import base
from toolkit.stand.base import Stand, Status


def run(stand: Stand) -> None:
    """Test a stand, which is ended whatever comes of it. Raises `UserError` with all that is wrong."""
    try:
        stand.up()
        found = base.statuses(stand.access())
        for status in found:
            console.step("SERVICE", status.text)
        check(found)
        console.step("STAND", "is provisioned again, which has to change nothing")
        changed = stand.up()
        if changed:
            raise UserError(
                f"provisioned again, these changed: {'; '.join(changed)}",
                "a task has to find its own work done; `changed_when` says so of a command",
            )
    finally:
        stand.destroy()
    console.step("STAND", "passed")


def check(found: Sequence[Status]) -> None:
    """Raise `UserError` where a service does not run, or answers nothing but errors."""
    wrong = [status.text for status in found if not status.running or _fails(status)]
    if wrong:
        raise UserError(
            f"a service does not answer: {'; '.join(wrong)}",
            "`make stand`, then `make stand-tmux`, shows what it wrote",
        )


def _fails(status: Status) -> bool:
    answers = [answer for answer in status.listens.values() if answer]
    return bool(answers) and all(answer.startswith("HTTP 5") for answer in answers)
