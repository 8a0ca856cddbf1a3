"""Errors as the user reads them."""

from __future__ import annotations


class UserError(Exception):
    """A mistake or a fault that the user can mend: what is wrong and where, then what to do.

    `what` is one line (a longer text, such as a compiler's, goes to `details`); `hint` is one line.
    """

    def __init__(self, what: str, hint: str = "", details: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.details = details

    def __str__(self) -> str:
        """Return the message as it is printed: details first, so that the conclusion is what stays in view."""
        details = f"{self.details.rstrip()}\n" if self.details.strip() else ""
        return f"{details}error: {self.what}" + (f"\n hint: {self.hint}" if self.hint else "")
