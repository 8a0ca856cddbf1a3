"""Which crates a build compiles, and what a Cargo.lock lacks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.rust_trees import Registry, dep, line, locked, manifest, tree
from toolkit.core.errors import UserError
from toolkit.crates import crate_closure
from toolkit.crates.cargo_workspace import Workspace
from toolkit.crates.crate_closure import StaleError
from toolkit.model.crates import LockedCrate

LINUX, BOTH = ["linux"], ["linux", "darwin"]


def workspace(text: str, *crates: LockedCrate, **files: str) -> Workspace:
    """Return the workspace of one package that has these crates in its lock, the first of them its own entry."""
    (found,) = tree(
        {"Cargo.toml": text, **{name.replace("__", "/").replace("_", "."): more for name, more in files.items()}}
    )
    return replace(found, lock=crates)


def needed(found: Workspace, *lines: dict[str, Any], systems: list[str] = LINUX) -> list[str]:
    return sorted(map(str, crate_closure.needed(found, Registry(*lines), systems)))


def simple(text: str, *lines: dict[str, Any], systems: list[str] = LINUX) -> list[str]:
    """Return what is needed of crates of version 1, in whose lock each needs all that its line names."""
    versions = {item["name"]: item["vers"] for item in lines}
    crates = [
        locked(item["name"], item["vers"], *{f"{name} {versions[name]}" for name in names(item) if name in versions})
        for item in lines
    ]
    own = locked("app", "0.1.0", *(f"{name} {version}" for name, version in versions.items()), source="")
    found = needed(workspace(text, own, *crates), *lines, systems=systems)
    return [item.removesuffix(" 1.0.0") for item in found]


def names(item: dict[str, Any]) -> list[str]:
    return [entry.get("package") or entry["name"] for entry in item["deps"]]


def one(name: str, *deps: dict[str, Any], **features: list[str]) -> dict[str, Any]:
    return line(name, "1.0.0", *deps, features=features)


def test_what_tests_alone_need_is_not_needed() -> None:
    text = manifest(more='a = "1"\n[build-dependencies]\nb = "1"\n[dev-dependencies]\nc = "1"')
    assert simple(text, one("a", dep("d", kind="dev")), one("b", dep("e", kind="build")), *map(one, "cde")) == [
        "a",
        "b",
        "e",
    ]


def test_conditions_of_targets_are_those_of_the_machines() -> None:
    text = manifest(more='a = "1"\n[target.\'cfg(windows)\'.dependencies]\nw = "1"')
    lines = (
        one("a", dep("m", target='cfg(target_os = "macos")'), dep("s", target='cfg(target_arch="s390x")')),
        *map(one, "wms"),
    )
    assert simple(text, *lines) == ["a", "s"]
    assert simple(text, *lines, systems=BOTH) == ["a", "m", "s"]


def test_features_bring_optional_crates() -> None:
    a = one(
        "a",
        *(dep(name, optional=True) for name in ("legacy", "named", "weak", "strong", "renamed", "unused")),
        dep("plain"),
        default=["std", "legacy"],
        std=["dep:named", "weak?/x", "strong/y", "plain/z"],
        other=["unused"],
    )
    lines = [
        one("legacy"),
        one("named"),
        one("weak"),
        one("strong", dep("behind", optional=True), y=["behind"]),
        one("plain", dep("far", optional=True), z=["dep:far"]),
        *map(one, ("renamed", "unused", "behind", "far")),
    ]
    assert simple(manifest(more='a = "1"'), a, *lines) == ["a", "behind", "far", "legacy", "named", "plain", "strong"]
    bare = 'a = { version = "1", default-features = false }'
    assert simple(manifest(more=bare), a, *lines) == ["a", "plain"]
    asked = 'a = { version = "1", default-features = false, features = ["unused"] }'
    assert simple(manifest(more=asked), a, *lines) == ["a", "plain", "unused"]


def test_a_weak_feature_waits_for_its_crate() -> None:
    a = one("a", dep("b", optional=True), first=["b?/x"], second=["dep:b"])
    b = one("b", dep("c", optional=True), x=["dep:c"])
    first = 'a = { version = "1", features = ["first"] }'
    assert simple(manifest(more=first), a, b, one("c")) == ["a"]
    both = 'a = { version = "1", features = ["first", "second"] }'
    assert simple(manifest(more=both), a, b, one("c")) == ["a", "b", "c"]


def test_features_of_one_crate_are_united() -> None:
    text = manifest(more='a = "1"\n[build-dependencies]\nb = { version = "1", features = ["x"] }')
    a, b = one("a", dep("b")), one("b", dep("c", optional=True), x=["c"])
    assert simple(text, a, b, one("c")) == ["a", "b", "c"]


def test_the_first_resolver_unites_what_tests_ask_for() -> None:
    more = 'a = "1"\n[dev-dependencies]\nt = "1"\na = { version = "1", features = ["x"] }'
    lines = (one("a", dep("c", optional=True), x=["c"]), one("c"), one("t"))
    assert simple(manifest(more=more, edition="2018"), *lines) == ["a", "c"]
    assert simple(manifest(more=more, edition="2021"), *lines) == ["a"]


def test_crates_under_another_name() -> None:
    text = manifest(more='b = { version = "1", package = "a", optional = true }\n[features]\ndefault = ["b/x"]')
    assert simple(text, one("a", dep("k", package="c", optional=True), x=["dep:k"]), one("c")) == ["a", "c"]


def test_features_that_the_build_asks_for() -> None:
    text = manifest(
        more="".join(f'{name} = {{ version = "1", optional = true }}\n' for name in "ab")
        + 'd = "1"\n[features]\ndefault = ["a"]'
    )
    lines = [one("a"), one("b"), one("d", dep("e", optional=True), x=["e"]), one("e")]
    own = locked("app", "0.1.0", "a 1.0.0", "b 1.0.0", "d 1.0.0", source="")
    crates = [own, locked("a", "1.0.0"), locked("b", "1.0.0"), locked("d", "1.0.0", "e 1.0.0"), locked("e", "1.0.0")]

    def asked(settings: str) -> list[str]:
        found = workspace(text, *crates, pyproject_toml=f"[tool.maturin]\n{settings}")
        return [item.removesuffix(" 1.0.0") for item in needed(found, *lines)]

    assert asked("") == ["a", "d"]
    assert asked("no-default-features = true") == ["d"]
    assert asked('features = ["b", "d/x"]') == ["a", "b", "d", "e"]
    assert asked("all-features = true") == ["a", "b", "d"]


def test_two_versions_of_a_crate_follow_the_edges_of_the_lock() -> None:
    own = locked("app", "0.1.0", "a 1.0.0", "b 2.0.0", source="")
    crates = [own, locked("a", "1.0.0", "b 1.5.0"), locked("b", "1.5.0"), locked("b", "2.0.0"), locked("b", "3.0.0")]
    lines = [line("a", "1.0.0", dep("b", "^1")), *(line("b", version) for version in ("1.5.0", "2.0.0", "3.0.0"))]
    found = workspace(manifest(more='a = "1"\nb = "2"'), *crates)
    assert needed(found, *lines) == ["a 1.0.0", "b 1.5.0", "b 2.0.0"]


def test_packages_of_the_tree_are_followed_and_not_named() -> None:
    helper = manifest("helper", more='a = { version = "1", optional = true }\n[features]\nx = ["a"]')
    own = locked("app", "0.1.0", "helper 0.1.0 .", source="")
    crates = [own, locked("helper", "0.1.0", "a 1.0.0", source=""), locked("a", "1.0.0")]
    text = manifest(more='helper = { path = "helper", features = ["x"] }')
    found = workspace(text, *crates, helper__Cargo_toml=helper)
    assert needed(found, line("a", "1.0.0")) == ["a 1.0.0"]


def test_of_a_git_repository_the_lock_alone_tells() -> None:
    git = replace(locked("g", "1.0.0", "a 1.0.0"), source="git+https://example.com/g#1")
    own = replace(locked("app", "0.1.0", source=""), dependencies=(git.id,))
    found = workspace(manifest(more='g = { git = "https://example.com/g" }'), own, git, locked("a", "1.0.0"))
    assert needed(found, line("a", "1.0.0")) == ["a 1.0.0", "g 1.0.0"]


def test_a_version_that_the_index_does_not_have_is_an_error() -> None:
    found = workspace(manifest(more='a = "1"'), locked("app", "0.1.0", "a 1.0.0", source=""), locked("a", "1.0.0"))
    with pytest.raises(UserError, match=r"a 1\.0\.0: its line in the registry's index: there is no such version"):
        needed(found, line("a", "1.0.1"))


def test_one_version_of_two_registries_is_refused() -> None:
    other = replace(locked("a", "1.0.0"), source="sparse+https://other.example/")
    own = locked("app", "0.1.0", "a 1.0.0", source="")
    found = workspace(manifest(more='a = "1"'), own, locked("a", "1.0.0"), other)
    with pytest.raises(UserError, match=r"it has a 1\.0\.0 of more than one registry: .*, `sparse\+https://other"):
        needed(found, line("a", "1.0.0"))


def test_a_bad_condition_is_an_error_that_names_the_crate() -> None:
    with pytest.raises(UserError, match=r"a 1\.0\.0, which needs b: no condition of a target: `cfg\(`"):
        simple(manifest(more='a = "1"'), one("a", dep("b", target="cfg(")))


def test_without_a_lock_nothing_is_known() -> None:
    with pytest.raises(UserError, match=r"some-1\.tar\.gz: Cargo\.lock is missing"):
        crate_closure.needed(tree({"Cargo.toml": manifest()})[0], Registry(), LINUX)


def test_only_what_is_compiled_is_looked_up() -> None:
    registry = Registry(one("a", dep("w", target="cfg(windows)")), one("w"))
    own = locked("app", "0.1.0", "a 1.0.0", source="")
    found = workspace(manifest(more='a = "1"'), own, locked("a", "1.0.0", "w 1.0.0"), locked("w", "1.0.0"))
    crate_closure.needed(found, registry, LINUX)
    assert registry.asked == ["a"]


def test_a_long_chain_and_long_lists_of_features_take_no_more_than_their_length() -> None:
    count = 3000
    chain = [locked(f"c{n}", "1.0.0", *([f"c{n + 1} 1.0.0"] if n < count else [])) for n in range(count + 1)]
    features = {"default": [f"f{n}" for n in range(count)], **{f"f{n}": [f"x/g{n}"] for n in range(count)}}
    lines = {f"c{n}": one(f"c{n}", dep(f"c{n + 1}")) for n in range(count)} | {
        f"c{count}": one(f"c{count}", dep("x"), **features)
    }
    chain[-1] = locked(f"c{count}", "1.0.0", "x 1.0.0")
    own = locked("app", "0.1.0", "c0 1.0.0", source="")
    found = workspace(manifest(more='c0 = "1"'), own, *chain, locked("x", "1.0.0"))
    lines["x"] = one("x", **{f"g{n}": [] for n in range(count)})
    registries = {name: Registry(item) for name, item in lines.items()}
    assert len(crate_closure.needed(found, lambda name: registries[name](name), LINUX)) == count + 2


def test_the_oldest_rust_that_compiles_everything_is_told_with_who_needs_it() -> None:
    own = locked("app", "0.1.0", "a 1.0.0", "b 1.0.0", "w 1.0.0", source="")
    found = workspace(manifest(more='a = "1"\nb = "1"'), own, *(locked(name, "1.0.0") for name in "abw"))
    registry = Registry(
        line("a", "1.0.0", rust_version="1.9"), line("b", "1.0.0", rust_version="1.63.1"), line("w", "1.0.0")
    )
    crates = crate_closure.needed(found, registry, LINUX)
    assert crate_closure.oldest_rust(found, registry, crates) == ("1.63.1", "b 1.0.0")
    assert crate_closure.oldest_rust(found, registry, ()) == ("", "")
    own_says = replace(found.packages[""], rust_version="1.70")
    assert crate_closure.oldest_rust(replace(found, packages={"": own_says}), registry, crates) == ("1.70", "app 0.1.0")


def test_a_sound_lock_is_not_stale() -> None:
    text = manifest(more='a = "1"\nb = { version = "2", package = "c", optional = true }\n[dev-dependencies]\nd = "*"')
    own = locked("app", "0.1.0", "a 1.2.0", "c 2.0.0", "d 0.1.0", source="")
    found = workspace(text, own, locked("a", "1.2.0"), locked("c", "2.0.0"), locked("d", "0.1.0"))
    assert crate_closure.stale(found) == ()


def test_a_stale_lock_is_told_by_name() -> None:
    text = manifest(more='a = "1.3"\nb = "1"\nh = { path = "h" }\n[dev-dependencies]\nd = "2"')
    own = locked("app", "0.1.0", "a 1.2.0", "d 1.0.0", source="")
    found = workspace(
        text, own, locked("a", "1.2.0"), locked("b", "1.0.0"), locked("d", "1.0.0"), h__Cargo_toml=manifest("h")
    )
    assert [item.partition(",")[0] for item in crate_closure.stale(found)] == [
        "app 0.1.0 requires a 1.3",
        "app 0.1.0 requires b 1",
        "app 0.1.0 requires h *",
        "app 0.1.0 requires d 2",
    ]
    assert crate_closure.stale(workspace(manifest(), locked("other", "0.1.0", source=""))) == (
        "app 0.1.0 is not in it",
    )


def test_a_lock_may_have_another_version_of_the_package_itself() -> None:
    text = manifest(more='a = "1"\nh = { path = "h" }')
    crates = [
        locked("app", "0.0.9", "a 1.0.0", "h 0.0.8 .", source=""),
        locked("h", "0.0.8", "a 1.1.0", source=""),
        locked("a", "1.0.0"),
        locked("a", "1.1.0"),
    ]
    found = workspace(text, *crates, h__Cargo_toml=manifest("h", 'a = "1"'))
    assert crate_closure.stale(found) == ()
    assert needed(found, line("a", "1.0.0"), line("a", "1.1.0")) == ["a 1.0.0", "a 1.1.0"]
    # Cargo writes its version into the lock, which `--frozen` does not let it do.
    assert {"app 0.0.9", "h 0.0.8"} <= {*crate_closure.surplus(found)}
    lacking = workspace(manifest(more='b = "1"'), *crates)
    assert [item.partition(",")[0] for item in crate_closure.stale(lacking)] == ["app 0.1.0 requires b 1"]


def test_what_a_crate_needs_by_a_feature_that_is_newer_than_the_lock_is_missed() -> None:
    found = workspace(
        manifest(more='a = { version = "1", features = ["more"] }'),
        locked("app", "0.1.0", "a 1.0.0", source=""),
        locked("a", "1.0.0"),
    )
    assert crate_closure.stale(found) == ()
    with pytest.raises(StaleError, match=r"a 1.0.0 requires b \^1, of which it has no version"):
        needed(found, one("a", dep("b", "^1", optional=True), more=["dep:b"]))


def test_packages_that_nothing_in_the_sdist_needs_are_told() -> None:
    # Its entry names what an older manifest needed.
    own, left_out = (
        locked("app", "0.1.0", "a 1.0.0", "b 1.0.0", source=""),
        locked("tool", "1.0.0", "d 1.0.0", source=""),
    )
    crates = [locked("a", "1.0.0", "c 1.0.0"), *(locked(name, "1.0.0") for name in "bcd")]
    found = workspace(manifest(more='a = "1"'), own, left_out, *crates)
    assert crate_closure.surplus(found) == ("tool 1.0.0", "b 1.0.0", "d 1.0.0")
    assert crate_closure.surplus(replace(found, lock=(locked("app", "0.1.0", "a 1.0.0", source=""), *crates[:1]))) == ()
