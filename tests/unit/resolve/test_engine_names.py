from __future__ import annotations

import pytest

from toolkit.core.errors import UserError
from toolkit.network.index_settings import Indexes
from toolkit.resolve import engines


def test_an_engine_that_does_not_exist_is_named() -> None:
    with pytest.raises(UserError, match="RESOLVER=conda") as caught:
        engines.get("conda", Indexes())
    assert caught.value.hint == "use one of uv, pip-tools"
