"""`make stand-test`: a stand is made, every service has to answer, and nothing may change the second time."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit import stand as stands
from toolkit import ui
from toolkit.stand import Stand, Status


def run(stand: Stand) -> None:
    """Test a stand, which is ended whatever comes of it. Raises `UserError` with all that is wrong."""
    try:
        stand.up()
        found = stands.statuses(stand.access())
        for status in found:
            ui.step("SERVICE", status.text)
        check(found)
        ui.step("STAND", "is provisioned again, which has to change nothing")
        changed = stand.up()
        if changed:
            raise ui.UserError(f"provisioned again, these changed: {'; '.join(changed)}",
                               "a task has to find its own work done; `changed_when` says so of a command")
    finally:
        stand.destroy()
    ui.step("STAND", "passed")


def check(found: Sequence[Status]) -> None:
    """Raise `UserError` where a service does not run, or answers nothing but errors."""
    wrong = [status.text for status in found if not status.running or _fails(status)]
    if wrong:
        raise ui.UserError(f"a service does not answer: {'; '.join(wrong)}",
                           "`make stand`, then `make stand-tmux`, shows what it wrote")


def _fails(status: Status) -> bool:
    answers = [answer for answer in status.listens.values() if answer]
    return bool(answers) and all(answer.startswith("HTTP 5") for answer in answers)
