"""What is asked of an engine."""

from toolkit.engines.engine import Request
from toolkit.model.targets import Targets


def test_a_request_without_some_names_asks_nobody_for_them() -> None:
    request = Request(
        requirements=("A.b[x]>=1", "c"),
        constraints=("a-b<3", "d<2"),
        targets=Targets(pythons=("3.11",)),
        platforms=("linux",),
        provided={"own": "1.0"},
    )
    found = request.without(frozenset({"a-b"}))
    assert (found.requirements, found.constraints) == (("c",), ("d<2",))
    assert found.provided == {"own": "1.0", "a-b": ""}
