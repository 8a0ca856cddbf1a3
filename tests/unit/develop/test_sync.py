"""An environment is brought to what is wanted; what is as it should be is left alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.wheel_files import make_wheel
from toolkit.build import interpreters
from toolkit.develop import sync
from toolkit.develop.sync import Changes, TargetDistribution
from toolkit.wheel.image import Image, Images

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def wanted(name: str, version: str = "1.0", identity: str = "") -> TargetDistribution:
    return TargetDistribution(name=name, version=version, identity=identity or f"{name} {version}")


class Place:
    """An environment and what can be put there."""

    def __init__(self, directory: Path) -> None:
        self.prefix = directory / "environment"
        self.site = self.prefix / "lib" / f"python{HERE}" / "site-packages"
        self.site.mkdir(parents=True)
        self.directory = directory
        self.images = Images(store=directory / "store", interpreter=interpreters.find((HERE,), sys.executable), jobs=1)
        self.made_from: dict[str, str] = {}
        self.python = self.prefix / "bin" / "python"

    def take(self, item: TargetDistribution, **files: str) -> Image:
        contents = {f"{item.name}.py": f"VERSION = '{item.version}'\n", **{f"{k}.py": v for k, v in files.items()}}
        wheel = make_wheel(self.directory / "wheels", item.name, contents, version=item.version)
        return self.images.add({item.identity: wheel})[item.identity]

    def bring(self, *items: TargetDistribution) -> Changes:
        there = sync.installed(self.site)
        changes = sync.compare(items, there, self.made_from)
        present = [item for items in there.values() for item in items]
        sync.apply(self.prefix, self.python, changes, present, map(self.take, changes.install))
        self.made_from = {item.name: item.identity for item in items}
        return changes

    def names(self) -> list[str]:
        return sorted(path.name for path in self.site.iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_second_time_there_is_nothing_to_do(place: Place) -> None:
    assert place.bring(wanted("one"), wanted("two")).added == ("one 1.0", "two 1.0")
    assert not place.bring(wanted("one"), wanted("two"))


def test_what_is_not_wanted_any_more_goes_without_a_trace(place: Place) -> None:
    place.bring(wanted("one"), wanted("two"))
    cache = place.site / "__pycache__"
    cache.mkdir()
    (cache / "two.cpython-311.pyc").write_bytes(b"")
    assert place.bring(wanted("one")).removed == ("two 1.0",)
    assert place.names() == ["__pycache__", "one-1.0.dist-info", "one.py"]
    assert list(cache.iterdir()) == []


def test_another_version_takes_the_place_of_the_first(place: Place) -> None:
    place.bring(wanted("one"))
    assert place.bring(wanted("one", "2.0")).changed == ("one 1.0 -> 2.0",)
    assert place.names() == ["one-2.0.dist-info", "one.py"]
    assert "2.0" in (place.site / "one.py").read_text()


def test_another_build_of_the_same_version_is_another_thing(place: Place) -> None:
    place.bring(wanted("one"))
    assert place.bring(wanted("one", identity="built anew")).changed == ("one 1.0, put in again",)


@pytest.mark.parametrize("damage", ["missing", "cut short", "no RECORD", "twice"])
def test_what_is_not_whole_is_put_in_again(place: Place, damage: str) -> None:
    place.bring(wanted("one"))
    information = place.site / "one-1.0.dist-info"
    if damage == "missing":
        (place.site / "one.py").unlink()
    elif damage == "cut short":
        (place.site / "one.py").unlink()
        (place.site / "one.py").write_text("")
    elif damage == "no RECORD":
        (information / "RECORD").unlink()
    else:
        (place.site / "one-0.9.dist-info").mkdir()
    assert [item.name for item in place.bring(wanted("one")).install] == ["one"]
    assert place.names() == ["one-1.0.dist-info", "one.py"]
    assert "1.0" in (place.site / "one.py").read_text()


def test_a_record_cannot_remove_what_is_outside(place: Place, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    place.bring(wanted("one"))
    record = place.site / "one-1.0.dist-info" / "RECORD"
    record.unlink()
    record.write_text(f"one.py,,\n{precious},,\n../../../../precious,,\n")
    place.bring()
    assert precious.read_text() == "mine"
    assert place.names() == []


def test_a_file_that_two_have_stays_with_the_last(place: Place) -> None:
    place.take(wanted("one"), shared="1\n").link(place.prefix, place.python)
    place.take(wanted("two"), shared="2\n").link(place.prefix, place.python)
    assert (place.site / "shared.py").read_text() == "2\n"


def test_a_record_with_a_zero_byte_is_none(place: Place) -> None:
    place.bring(wanted("one"))
    record = place.site / "one-1.0.dist-info" / "RECORD"
    record.write_bytes(b"one\0.py,,\n" + record.read_bytes())
    assert place.bring(wanted("one")).changed == ("one 1.0, put in again",)


class Sharing(Place):
    """An environment of distributions that all install `shared.py`, as the last of them has it."""

    def take(self, item: TargetDistribution, **files: str) -> Image:
        return super().take(item, shared=f"OWNER = '{item.name}'\n" + "#" * len(item.name))


def test_a_file_of_two_distributions_is_no_reason_to_do_anything(tmp_path: Path) -> None:
    place = Sharing(tmp_path)
    place.bring(wanted("a"), wanted("longer"))
    assert not place.bring(wanted("a"), wanted("longer"))
    (place.site / "shared.py").write_text("changed by hand")
    assert place.bring(wanted("a"), wanted("longer")).changed == ("a 1.0, put in again", "longer 1.0, put in again")


def test_what_loses_a_file_to_another_that_goes_gets_it_back(tmp_path: Path) -> None:
    place = Sharing(tmp_path)
    place.bring(wanted("a"), wanted("longer"))
    changes = place.bring(wanted("a"))
    assert (changes.removed, changes.changed) == (("longer 1.0",), ("a 1.0, put in again",))
    assert "'a'" in (place.site / "shared.py").read_text()
