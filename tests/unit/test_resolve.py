from __future__ import annotations

import pytest

from toolkit import resolve, ui
from toolkit.indexes import Indexes
from toolkit.resolve import Request
from toolkit.targets import Targets

TARGETS = Targets(pythons=("3.11",))


@pytest.mark.parametrize(("upgrade", "kept"), [
    ((), ("a-b==1.0", "c==2.0; python_version == '3.11'")),
    (("A_b",), ("c==2.0; python_version == '3.11'",)),
    (("all",), ()),
])
def test_preferences_are_kept_but_for_what_is_upgraded(upgrade: tuple[str, ...], kept: tuple[str, ...]) -> None:
    preferences = ("a-b==1.0", "c==2.0; python_version == '3.11'")
    assert Request(requirements=(), targets=TARGETS, preferences=preferences, upgrade=upgrade).kept() == kept


def test_an_engine_that_does_not_exist_is_named() -> None:
    with pytest.raises(ui.UserError, match="RESOLVER=conda") as caught:
        resolve.get("conda", Indexes())
    assert caught.value.hint == "use one of uv, pip-tools"
