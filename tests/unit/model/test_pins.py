"""Locked references, and how the lock spells them."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from toolkit.model.pins import Pinned


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("web==1.0", Pinned("web", "1.0")),
        ("web==1.0 ; python_version < '3.12'", Pinned("web", "1.0", "python_version < '3.12'")),
        ("web==2!1.0+local.1", Pinned("web", "2!1.0+local.1")),
    ],
)
def test_a_reference_is_read_and_written_as_the_lock_spells_it(text: str, reference: Pinned) -> None:
    assert Pinned.parse(text) == reference
    assert str(reference) == text
    assert Requirement(text).name == reference.name
    assert reference.key == text.split()[0]


@pytest.mark.parametrize("text", ["", "web", "web>=1", "==1", "web== ; python_version < '3.12'"])
def test_what_is_no_locked_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a locked reference"):
        Pinned.parse(text)
