from __future__ import annotations

import pytest

from toolkit import engines, ui
from toolkit.indexes import Indexes


def test_an_engine_that_does_not_exist_is_named() -> None:
    with pytest.raises(ui.UserError, match="RESOLVER=conda") as caught:
        engines.get("conda", Indexes())
    assert caught.value.hint == "use one of uv, pip-tools"
