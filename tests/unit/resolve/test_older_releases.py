"""Which older releases are tried in the place of one that cannot be built."""

from toolkit.model.pins import Pin, RemoteFile
from toolkit.resolve import older_releases


def releases(*versions: str, wheels: tuple[str, ...] = ()) -> dict[str, Pin]:
    sdists = {
        version: RemoteFile(name=f"x-{version}.tar.gz", url=f"https://host/x-{version}.tar.gz") for version in versions
    }
    return {version: Pin(name="x", version=version, sdist=sdists.get(version)) for version in (*versions, *wheels)}


def test_the_newest_comes_first_and_only_what_has_a_source() -> None:
    found = older_releases.of("x==2.10", releases("2.9", "2.10", "3.0", "2.1", "1.0", wheels=("2.8",)))
    assert [pin.version for pin in found] == ["2.9", "2.1", "1.0"]


def test_a_release_is_not_replaced_by_one_that_is_not_finished() -> None:
    known = releases("2.0", "2.0rc1", "1.0")
    assert [pin.version for pin in older_releases.of("x==2.0", known)] == ["1.0"]
    assert [pin.version for pin in older_releases.of("x==2.0rc2", known)] == ["2.0rc1", "1.0"]


def test_not_all_of_very_many_are_tried() -> None:
    found = older_releases.of("x==99", releases(*map(str, range(99))))
    assert [pin.version for pin in found] == [str(number) for number in range(98, 78, -1)]
