"""What a set of requirements reaches among pins, without asking an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from toolkit.model.pins import Pin
from toolkit.resolve import pin_closure

METADATA: dict[str, Sequence[str]] = {
    "web==1": ["core>=1", "fast; extra == 'quick'", "old; python_version < '3.12'"],
    "core==1": [],
    "fast==1": ["core"],
    "old==1": [],
    "self==1": ["self[more]", "core; extra == 'more'"],
}


def closure(
    *requirements: str,
    metadata: Mapping[str, Sequence[str] | None] = METADATA,
    pins: Sequence[Pin] | None = None,
    pythons: Sequence[str] = ("3.11", "3.13"),
) -> dict[str, str] | None:
    found = pins or [Pin(name=key.partition("==")[0], version="1") for key in METADATA]
    reached = pin_closure.closure(requirements, found, lambda pin: metadata.get(pin.key), pythons, ("linux",))
    return None if reached is None else {pin.key: pin.marker for pin in reached.pins}


def test_only_what_is_needed_is_reached_and_markers_say_where() -> None:
    assert closure("web") == {"web==1": "", "core==1": "", "old==1": "python_version == '3.11'"}


def test_one_interpreter_needs_no_marker() -> None:
    assert closure("web", pythons=["3.11"]) == {"web==1": "", "core==1": "", "old==1": ""}
    assert closure("web", pythons=["3.13"]) == {"web==1": "", "core==1": ""}


def test_an_extra_brings_in_its_own() -> None:
    found = closure("Web[quick]")
    assert found is not None
    assert "fast==1" in found


def test_a_distribution_that_names_itself_with_an_extra() -> None:
    assert closure("self") == {"self==1": "", "core==1": ""}


def test_a_marker_of_the_set_itself_counts() -> None:
    assert closure("core; python_version >= '3.12'", "fast; sys_platform == 'win32'") == {
        "core==1": "python_version == '3.13'"
    }


def test_metadata_that_is_not_certain_tells_nothing_unless_it_is_not_reached() -> None:
    uncertain = {**METADATA, "core==1": None}
    assert closure("web", metadata=uncertain) is None
    assert closure("old", metadata=uncertain) == {"old==1": ""}


def test_a_name_that_is_not_pinned_tells_nothing() -> None:
    assert closure("elsewhere") is None


def test_of_two_versions_each_machine_has_its_own() -> None:
    pins = [
        Pin(name="core", version="1", marker="python_version == '3.11'"),
        Pin(name="core", version="2", marker="python_version == '3.13'"),
    ]
    assert closure("core", pins=pins, metadata={"core==1": [], "core==2": []}) == {
        "core==1": "python_version == '3.11'",
        "core==2": "python_version == '3.13'",
    }


def test_what_is_no_requirement_is_left_to_the_engine() -> None:
    metadata = {**METADATA, "old==1": ["core>=1.0-foo bar"]}
    assert closure("old", metadata=metadata) is None
    assert closure("core", metadata=metadata) == {"core==1": ""}
