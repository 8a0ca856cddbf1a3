"""Errors as the user reads them, and how those of one run are told together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager


class UserError(Exception):
    """A mistake or a fault that the user can mend: what is wrong and where, then what to do.

    `what` is one line (a longer text, such as a compiler's, goes to `details`); `hint` is one line.
    """

    def __init__(self, what: str, hint: str = "", details: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.details = details

    @property
    def parts(self) -> Sequence[UserError]:
        """Return the errors that this one is made of."""
        return (self,)

    def __str__(self) -> str:
        """Return the message as it is printed: details first, so that the conclusion is what stays in view."""
        details = f"{self.details.rstrip()}\n" if self.details.strip() else ""
        return f"{details}error: {self.what}" + (f"\n hint: {self.hint}" if self.hint else "")


class FinalError(UserError):
    """An error after which nothing more can be found out, or nothing more may be asked of anybody."""


class CombinedError(UserError):
    """Several errors of one run, each with a hint of its own.

    Who knows no parts reads the first one, and the others as its details.
    """

    def __init__(self, parts: Sequence[UserError]) -> None:
        first, *others = parts
        super().__init__(f"{first.what} (and {len(others)} more)", first.hint, "\n".join(map(_plain, others)))
        self._parts = parts

    @property
    def parts(self) -> Sequence[UserError]:
        """Return the errors, in the order in which they were found."""
        return self._parts


def _plain(error: UserError) -> str:
    return f"{error.what}\n hint: {error.hint}"


def combined(errors: Iterable[UserError]) -> UserError:
    """Return one error for several, of which there is at least one; what is said twice counts once, as said last."""
    parts = {part.what: part for error in errors for part in error.parts}
    return CombinedError(list(parts.values())) if len(parts) > 1 else next(iter(parts.values()))


class Gathering:
    """Errors of one run that are told together, so that what can go on after one does go on."""

    def __init__(self) -> None:
        self._errors: list[UserError] = []

    def __bool__(self) -> bool:
        """Tell whether there is any error."""
        return bool(self._errors)

    @property
    def is_final(self) -> bool:
        """Tell whether nothing more is to be tried."""
        return any(isinstance(part, FinalError) for error in self._errors for part in error.parts)

    def add(self, error: UserError) -> None:
        """Take an error, to be raised later."""
        self._errors.append(error)

    @contextmanager
    def part(self) -> Iterator[None]:
        """Do something whose error does not end the rest."""
        try:
            yield
        except UserError as error:
            self.add(error)

    def end(self) -> None:
        """Raise `UserError` for all errors, where there are any."""
        if self._errors:
            raise combined(self._errors)


class _AtOnce(Gathering):
    """Gathers nothing: the first error ends what is done."""

    def add(self, error: UserError) -> None:
        raise error


AT_ONCE = _AtOnce()
