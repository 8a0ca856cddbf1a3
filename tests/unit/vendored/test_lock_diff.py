"""The difference of two locks, and how it reads."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.locks import distribution, lock_of
from toolkit.model.build_settings import BuildSettings
from toolkit.model.lock import Crate, Distribution, Lock, Patch, VendoredFile
from toolkit.vendored import lock_diff
from toolkit.vendored.lock_diff import Change


def distributions(*keys: str) -> tuple[Distribution, ...]:
    """Return distributions by `name==version`."""
    return tuple(distribution(name, version=version) for name, version in (key.split("==") for key in keys))


def make(service: str, *shipped: str, build: tuple[str, ...] = (), **inputs: str) -> Lock:
    return lock_of(*distributions(*shipped), service=service, build_packages=distributions(*build), inputs=inputs)


def lines(old: tuple[str, ...], new: tuple[str, ...]) -> list[str]:
    return [str(change) for change in lock_diff.compare(distributions(*old), distributions(*new))]


def test_what_came_went_and_moved_is_listed_by_name() -> None:
    assert lines(("flask==3.0", "gone==1", "same==1"), ("flask==3.1", "new==2", "same==1")) == [
        "* flask 3.0 -> 3.1",
        "- gone 1",
        "+ new 2",
    ]


def test_versions_are_compared_as_versions() -> None:
    (up,) = lock_diff.compare(distributions("a==1.9"), distributions("a==1.10"))
    (down,) = lock_diff.compare(distributions("a==1.10"), distributions("a==1.9"))
    assert (up.kind, down.kind) == ("upgraded", "downgraded")


def test_two_versions_of_one_name_are_both_named_in_their_order() -> None:
    assert lines(("a==1.10", "a==1.9"), ("a==1.10",)) == ["* a 1.9, 1.10 -> 1.10"]


def test_a_version_that_no_standard_knows_is_no_obstacle() -> None:
    assert lines(("a==1.1~beta",), ("a==1.2",)) == ["* a 1.1~beta -> 1.2"]


def test_other_files_under_the_same_version_are_told() -> None:
    [old] = distributions("a==1")
    (change,) = lock_diff.compare([old], [replace(old, files=(replace(old.files[0], sha256="other"),))])
    assert str(change) == "* a 1, with other files"


def test_other_crates_under_the_same_version_are_told() -> None:
    [old] = distributions("a==1")
    (change,) = lock_diff.compare([old], [replace(old, crates=("libc==0.2.1",))])
    assert str(change) == "* a 1, with other crates"


def test_another_way_of_building_the_same_version_is_told() -> None:
    [old] = distributions("a==1")
    ways = {
        "with other build settings": replace(old, settings=BuildSettings(environment=(("A", "1"),))),
        "with other patches": replace(old, patches=(Patch(path="patches/a/a.patch", sha256="0" * 64),)),
    }
    for said, new in ways.items():
        assert [str(change) for change in lock_diff.compare([old], [new])] == [f"* a 1, {said}"]


def test_the_same_files_from_elsewhere_are_told() -> None:
    [old] = distributions("a==1")
    old = replace(old, index="https://one.example/simple", files=(replace(old.files[0], url="https://one.example/a"),))
    moved = replace(old, files=(replace(old.files[0], url="https://two.example/a"),))
    (change,) = lock_diff.compare([old], [moved])
    assert str(change) == "* a 1, from other URLs"
    (change,) = lock_diff.compare([old], [replace(moved, index="https://two.example/simple")])
    assert str(change) == "* a 1, from another index"
    # A lock from before locks had the index; a directory of this machine (find-links) is no index.
    assert lock_diff.compare([replace(old, index="")], [old]) == ()
    assert lock_diff.summary([change]) == "1 from another index"


def test_locks_that_are_the_same_are_not_listed() -> None:
    assert lock_diff.between([make("api", "a==1")], [make("api", "a==1")]) == []


def test_what_only_builds_stands_apart() -> None:
    old, new = make("api", "a==1", build=("b==1",)), make("api", "a==2", build=("b==2",))
    (found,) = lock_diff.between([old], [new])
    assert [str(change) for change in found.shipped] == ["* a 1 -> 2"]
    assert [str(change) for change in found.build_only] == ["* b 1 -> 2"]


def test_what_was_only_for_building_and_is_shipped_now_was_there_before() -> None:
    (found,) = lock_diff.between([make("api", build=("b==1",))], [make("api", "b==1")])
    assert [str(change) for change in found.shipped] == ["* b 1, to ship"]
    assert found.build_only == ()
    (found,) = lock_diff.between([make("api", "b==1")], [make("api", build=("b==1",))])
    assert [str(change) for change in found.build_only] == ["* b 1, to build with only"]
    assert found.shipped == ()


def test_a_summary_counts_each_change_once() -> None:
    change = Change(name="a", kind="upgraded", old=("1",), new=("2",))
    more = Change(name="b", kind="added", new=("2",))
    assert lock_diff.summary([change, change, more]) == "1 added, 1 upgraded"
    assert lock_diff.summary([]) == ""


def test_the_message_of_one_change_says_it_in_its_first_line() -> None:
    changes = lock_diff.between([make("api", "a==1")], [make("api", "a==2")])
    assert lock_diff.message(changes) == "vendor: a 1 -> 2\n\napi:\n  * a 1 -> 2\n"


def test_the_message_has_a_list_for_each_lock_and_those_that_are_alike_share_it() -> None:
    old = [make("api", "a==1", "c==1"), make("old", "x==1"), make("worker", "a==1", "c==1")]
    new = [make("api", "a==2", build=("b==1",)), make("fresh", "a==2"), make("worker", "a==2")]
    assert lock_diff.message(lock_diff.between(old, new)).splitlines() == [
        "vendor: 1 added, 2 removed, 1 upgraded",
        "",
        "api, worker:",
        "  * a 1 -> 2",
        "  - c 1",
        "",
        "api, only to build and test:",
        "  + b 1",
        "",
        "fresh (new): no other versions",
        "",
        "old: not locked any more",
    ]


def test_of_a_new_lock_only_what_no_other_has_is_added_and_of_one_that_goes_only_what_stays_nowhere() -> None:
    one, two = make("one", "a==1", build=("b==1",)), make("two", "a==1", "c==1", build=("b==1",))
    assert lock_diff.message(lock_diff.between([one], [one, two])) == "vendor: add c 1\n\ntwo (new):\n  + c 1\n"
    assert lock_diff.message(lock_diff.between([one, two], [one])).startswith("vendor: remove c 1\n")
    same = replace(one, service="same")
    assert lock_diff.message(lock_diff.between([one], [one, same])) == (
        "vendor: same, with the same distributions\n\nsame (new): no other versions\n"
    )
    assert lock_diff.message(lock_diff.between([], [one, same])).startswith("vendor: 2 added\n")


def test_a_further_version_beside_the_first_is_neither_an_upgrade_nor_a_downgrade() -> None:
    first, both = make("api", "a==4"), make("api", "a==4", "a==3")
    (change,) = lock_diff.compare(first.packages, both.packages)
    assert (str(change), lock_diff.summary([change])) == ("* a 4 -> 3, 4", "1 with a further version")
    (change,) = lock_diff.compare(both.packages, first.packages)
    assert (str(change), lock_diff.summary([change])) == ("* a 3, 4 -> 4", "1 with a version less")
    (change,) = lock_diff.compare(both.packages, make("api", "a==4", "a==5").packages)
    assert change.kind == "upgraded"


def test_locks_made_anew_with_the_same_distributions_are_told_as_that() -> None:
    changes = lock_diff.between([make("api", "a==1", one="x")], [make("api", "a==1", one="y")])
    assert lock_diff.message(changes) == ("vendor: the same distributions, locked anew\n\napi: no other versions\n")


def crate(key: str, *, is_vendored: bool = True) -> Crate:
    name, version = key.split("==")
    file = VendoredFile(name=f"{name}-{version}.crate", sha256="0" * 64, size=1, url="https://crates.example/")
    return Crate(name=name, version=version, sha256="0" * 64, source="registry", file=file if is_vendored else None)


def test_crates_are_listed_where_they_are_in_vendor() -> None:
    old = replace(make("api", "a==1"), crates=(crate("libc==0.2.9"), crate("gone==1.0.0")))
    windows = crate("winapi==0.3.9", is_vendored=False)
    new = replace(make("api", "a==2"), crates=(crate("libc==0.2.10"), crate("pyo3==0.24.0"), windows))
    assert lock_diff.message(lock_diff.between([old], [new])).splitlines() == [
        "vendor: a 1 -> 2; crates: 1 added, 1 removed, 1 upgraded",
        "",
        "api:",
        "  * a 1 -> 2",
        "",
        "api, crates:",
        "  - gone 1.0.0",
        "  * libc 0.2.9 -> 0.2.10",
        "  + pyo3 0.24.0",
    ]
    same = replace(new, packages=old.packages)
    assert lock_diff.message(lock_diff.between([old], [same])).startswith("vendor: crates: 1 added, 1 removed, 1 upg")
