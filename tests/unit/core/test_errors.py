"""Several errors of one run are told together, each with its own hint."""

import pytest

from toolkit.core import console
from toolkit.core.errors import AT_ONCE, CombinedError, FinalError, Gathering, UserError, combined


def test_each_part_is_told_with_its_hint_and_the_status_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        errors = Gathering()
        with errors.part():
            raise UserError("one", "mend one", "it says no")
        with errors.part():
            raise UserError("two", "mend two")
        errors.end()

    assert console.run_main(fail) == 1
    assert capsys.readouterr().err == "  | it says no\nerror: one\n hint: mend one\nerror: two\n hint: mend two\n"


def test_one_error_is_itself() -> None:
    error = UserError("one")
    assert combined([error]) is error
    with pytest.raises(UserError) as caught:
        AT_ONCE.add(error)
    assert caught.value is error


def test_parts_of_parts_are_parts_and_what_is_said_twice_counts_once() -> None:
    one, two, three = (UserError(text, "hint") for text in ("one", "two", "three"))
    found = combined([combined([one, two]), combined([two, three])])
    assert [part.what for part in found.parts] == ["one", "two", "three"]
    # As those read it who know of no parts.
    assert (found.what, found.hint) == ("one (and 2 more)", "hint")
    assert found.details == "two\n hint: hint\nthree\n hint: hint"


def test_a_gathering_that_has_nothing_ends_well() -> None:
    errors = Gathering()
    errors.end()
    assert not errors
    errors.add(CombinedError([UserError("one"), FinalError("two")]))
    assert errors and errors.is_final
