"""What is chosen where there is no Cargo.lock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.rust_trees import SHA256, SOURCE, Registry, dep, line, manifest, tree
from toolkit.core.errors import UserError
from toolkit.crates import crate_closure, crate_resolution
from toolkit.model.crates import LockedCrate


def resolved(
    text: str, *lines: dict[str, Any], rust: str = "", files: dict[str, str] | None = None
) -> tuple[LockedCrate, ...]:
    (found,) = tree({"Cargo.toml": text, **(files or {})})
    return crate_resolution.resolve(found, Registry(*lines), SOURCE, rust)


def chosen(text: str, *lines: dict[str, Any], rust: str = "") -> list[str]:
    return [str(crate.id) for crate in resolved(text, *lines, rust=rust) if crate.source]


def versions(name: str, *texts: str, **more: Any) -> list[dict[str, Any]]:
    return [line(name, text, **more) for text in texts]


def test_the_newest_that_fits_and_was_not_withdrawn() -> None:
    lines = [*versions("a", "1.0.0", "1.2.0", "2.0.0", "1.10.0"), line("a", "1.11.0", yanked=True)]
    assert chosen(manifest(more='a = "1"'), *lines) == ["a 1.10.0"]


def test_the_lock_has_what_each_crate_needs() -> None:
    text = manifest(more='a = "1"\n[dev-dependencies]\nt = "1"\n[target.\'cfg(windows)\'.dependencies]\nw = "1"')
    a = line("a", "1.0.0", dep("b"), dep("unused", optional=True), dep("d", kind="dev"))
    found = resolved(text, a, *(line(name, "1.0.0") for name in ("b", "t", "w", "unused", "d")))
    assert {crate.name: [item.name for item in crate.dependencies] for crate in found} == {
        "app": ["a", "t", "w"],
        "a": ["b"],
        "b": [],
        "t": [],
        "w": [],
    }
    assert {(crate.source, crate.checksum) for crate in found} == {("", ""), (SOURCE, SHA256)}


def test_the_lock_is_not_stale_and_serves_for_what_is_compiled() -> None:
    text = manifest(more='a = "1"\n[target.\'cfg(windows)\'.dependencies]\nw = "1"')
    registry = Registry(line("a", "1.0.0"), line("w", "1.0.0"))
    (found,) = tree({"Cargo.toml": text})
    crates = crate_resolution.resolve(found, registry, SOURCE)
    again = replace(found, lock=crates)
    assert crate_closure.stale(again) == ()
    assert sorted(map(str, crate_closure.needed(again, registry, ["linux"]))) == ["a 1.0.0"]


def test_one_version_of_those_that_are_compatible() -> None:
    lines = [
        line("a", "1.0.0", dep("b", "^1")),
        line("c", "1.0.0", dep("b", "=1.2.0")),
        line("d", "1.0.0", dep("b", "<0.9")),
    ]
    lines += versions("b", "0.8.0", "1.1.0", "1.2.0", "1.3.0")
    text = manifest(more='a = "1"\nc = "1"\nd = "1"')
    assert chosen(text, *lines) == ["a 1.0.0", "b 0.8.0", "b 1.2.0", "c 1.0.0", "d 1.0.0"]


def test_what_only_a_choice_needed_that_was_given_up_is_gone() -> None:
    b = [line("b", "1.3.0", dep("gone"), dep("c", "=1.0.0")), line("b", "1.2.0", dep("c", "1"))]
    lines = [line("a", "1.0.0", dep("b", "=1.2.0")), *b, line("gone", "1.0.0"), *versions("c", "1.0.0", "1.1.0")]
    assert chosen(manifest(more='b = "1"\na = "1"'), *lines) == ["a 1.0.0", "b 1.2.0", "c 1.1.0"]


def test_a_version_whose_requirement_does_not_fit_gives_way_to_an_older_one() -> None:
    u = [
        line("u", "1.1.0", dep("h", "^1.9")),
        line("u", "1.0.0", dep("h", "^1.8")),
        line("r", "1.0.0", dep("h", "^1.1")),
    ]
    h = versions("h", "1.8.1", "1.9.0")
    for order in ("hru", "urh"):
        text = manifest(more="\n".join({"h": 'h = "=1.8.1"', "r": 'r = "1"', "u": 'u = "1"'}[name] for name in order))
        assert chosen(text, *u, *h) == ["h 1.8.1", "r 1.0.0", "u 1.0.0"]


def test_a_weak_feature_brings_its_crate_into_the_lock_and_not_its_feature() -> None:
    a = line(
        "a",
        "1.0.0",
        dep("b", optional=True),
        dep("c", optional=True),
        features={"default": ["b?/x"], "b": ["dep:b", "dep:c"]},
    )
    b = line("b", "1.0.0", features={"x": []})
    assert chosen(manifest(more='a = "1"'), a, b, line("c", "1.0.0")) == ["a 1.0.0", "b 1.0.0"]


def test_what_the_toolchain_compiles_is_preferred() -> None:
    lines = [
        line("a", "1.0.0", rust_version="1.60"),
        line("a", "1.1.0", rust_version="1.85.1"),
        line("b", "1.0.0", rust_version="1.90"),
    ]
    text = manifest(more='a = "1"\nb = "1"')
    assert chosen(text, *lines, rust="1.85") == ["a 1.0.0", "b 1.0.0"]
    assert chosen(text, *lines, rust="1.85.1") == ["a 1.1.0", "b 1.0.0"]
    assert chosen(text, *lines, rust="1.50") == ["a 1.1.0", "b 1.0.0"]
    assert chosen(text, *lines) == ["a 1.1.0", "b 1.0.0"]


def test_members_of_a_workspace_need_each_other_by_path() -> None:
    root = manifest(more='helper = { path = "helper", features = ["x"] }')
    helper = manifest("helper", more='a = { version = "1", optional = true }\n[features]\nx = ["dep:a"]')
    found = resolved(root, line("a", "1.0.0"), files={"helper/Cargo.toml": helper})
    assert [str(crate.id) for crate in found] == ["a 1.0.0", "app 0.1.0", "helper 0.1.0"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('a = "2"', "app 0.1.0 requires a 2, of which the registry has no version"),
        ('none = "2"', "app 0.1.0 requires none 2, of which the registry has no version"),
        (
            'a = "=1.0.0"\nb = "1"',
            "no version of a is what all ask for: app 0.1.0 requires `=1.0.0`, b 1.0.0 requires `=1.1.0`",
        ),
        (
            'g = { git = "https://example.com/g" }',
            "app 0.1.0 requires g of `https://example.com/g`, and has no Cargo.lock that tells which",
        ),
        (
            'a = { version = "1", registry = "own" }',
            "app 0.1.0 requires a of `own`, and has no Cargo.lock that tells which",
        ),
        ('h = { path = "away" }', "app 0.1.0 requires h of away, which is missing"),
        ('l = "1"\nm = "1"', "l 1.0.0 and m 1.0.0 both link to `z`, which only one may"),
    ],
)
def test_what_does_not_fit_is_said(more: str, message: str) -> None:
    lines = [*versions("a", "1.0.0", "1.1.0"), line("b", "1.0.0", dep("a", "=1.1.0"))]
    lines += [*versions("l", "1.0.0", links="z"), *versions("m", "1.0.0", links="z")]
    with pytest.raises(UserError) as caught:
        resolved(manifest(more=more), *lines)
    assert caught.value.what == message


def test_of_what_links_to_a_library_the_version_chosen_before_is_kept() -> None:
    lines = [*versions("l", "1.0.0", "2.0.0", links="z"), line("b", "1.0.0", dep("l", ">=1"))]
    assert chosen(manifest(more='b = "1"\nl = "1"'), *lines) == ["b 1.0.0", "l 1.0.0"]


def test_far_more_requirements_of_one_crate_than_anybody_has_are_refused() -> None:
    more = "\n".join(f'a{n} = {{ package = "a", version = ">=1.0.{n}" }}' for n in range(101))
    with pytest.raises(UserError, match="a: more than 100 requirements of its version"):
        resolved(manifest(more=more), line("a", "1.0.200"))
