"""What an engine is shown of the indexes."""

from __future__ import annotations

from typing import Any, cast

import pytest
from packaging.version import Version

from toolkit.core.errors import UserError
from toolkit.engines.catalogue import Catalogue
from toolkit.engines.engine import Request
from toolkit.model.pins import Pin, Pinned, RemoteFile
from toolkit.model.targets import Targets
from toolkit.network.index_pages import Index
from toolkit.releases.release_metadata import MetadataReader, ReleaseMetadata


class Pages:
    """Indexes with these files of `thing`."""

    def __init__(self, *files: RemoteFile) -> None:
        self.files = files

    def releases(self, name: str) -> dict[Version, tuple[RemoteFile, ...]]:
        if name == "broken":
            raise UserError("the index is on fire", "run")
        found: dict[Version, list[RemoteFile]] = {}
        for file in self.files:
            found.setdefault(Version(file.name.removesuffix(".tar.gz").split("-")[1]), []).append(file)
        return {version: tuple(listed) for version, listed in found.items()} if name == "thing" else {}


class Reader:
    def __init__(self, *requires: str, requires_python: str = "") -> None:
        self.found = ReleaseMetadata(requires=requires, requires_python=requires_python)

    def read(self, pin: Pin, wheels: object) -> ReleaseMetadata:
        if pin.version == "6.6":
            raise UserError("its metadata says evil", "do not use it")
        return self.found


def file(name: str, **fields: Any) -> RemoteFile:
    return RemoteFile(name=name, url=f"https://host.test/{name}", **fields)


def catalogue(*files: RemoteFile, reader: Reader | None = None, **fields: Any) -> Catalogue:
    request = Request(requirements=(), targets=Targets(pythons=("3.11",)), platforms=("linux",), **fields)
    reading = cast(MetadataReader, reader or Reader())
    return Catalogue(request=request, index=cast(Index, Pages(*files)), reader=reading)


SDIST, WHEEL = file("thing-1.0.tar.gz"), "thing-2.0-cp311-cp311-win_amd64.whl"


def test_a_release_that_no_target_can_take_is_none() -> None:
    files = [SDIST, file(WHEEL), file("thing-3.0-cp27-cp27m-win32.whl"), file("thing-4.0-cp312-cp312-win_amd64.whl")]
    assert [offer.version for offer in catalogue(*files).offers("thing")] == ["1.0", "2.0"]


def test_a_file_that_came_too_late_is_none() -> None:
    files = [file("thing-1.0.tar.gz", upload_time="2026-01-01T00:00:00Z"), file(WHEEL, upload_time="2026-03-01T00:00Z")]
    found = catalogue(*files, exclude_newer="2026-02-01")
    assert [offer.version for offer in found.offers("thing")] == ["1.0"]
    assert catalogue(SDIST, exclude_newer="2026-02-01").offers("thing") == []


def test_a_release_is_withdrawn_when_all_of_it_is() -> None:
    kept = file("thing-1.0-py3-none-any.whl")
    assert [offer.yanked for offer in catalogue(file(SDIST.name, yanked=True), kept).offers("thing")] == [False]
    assert [offer.yanked for offer in catalogue(file(SDIST.name, yanked=True)).offers("thing")] == [True]


def test_metadata_has_nothing_that_is_not_known() -> None:
    reader = Reader("Lib>=1 ; extra == 'more'", "old (>=1)", "odd>=1.0-foo bar", requires_python=">=3.9\nX: y")
    assert catalogue(SDIST, reader=reader).metadata("thing", "1.0").splitlines() == [
        "Metadata-Version: 2.1",
        "Name: thing",
        "Version: 1.0",
        "Provides-Extra: more",
        'Requires-Dist: Lib>=1; extra == "more"',
        "Requires-Dist: old>=1",
        "Requires-Dist: odd>=1.0-foo bar",
    ]


@pytest.mark.parametrize("text", ["evil @ git+file:///srv/evil", "evil@https://host.test/x.zip", "evil at c:\\x.zip"])
def test_a_url_counts_when_it_was_followed(text: str) -> None:
    found = catalogue(SDIST, reader=Reader("lib", text))
    last = found.metadata("thing", "1.0").splitlines()[-1]
    name = last.removeprefix("Requires-Dist: ")
    assert "://" not in last and "evil" not in last
    assert [offer.version for offer in found.offers(name)] == ["99999"]
    assert found.metadata(name, "1")
    assert found.pin(Pinned("thing", "1.0")).sdist == SDIST
    with pytest.raises(UserError, match=r"thing 1\.0 requires `evil"):
        found.pin(Pinned(name, "1"))


def test_a_url_of_what_the_project_provides_is_a_name() -> None:
    found = catalogue(SDIST, reader=Reader("lib[x] @ https://host.test/x.zip ; os_name == 'nt'"), provided={"lib": ""})
    assert found.metadata("thing", "1.0").splitlines()[-1] == 'Requires-Dist: lib[x]; os_name == "nt"'


def test_a_fault_of_a_release_counts_when_it_was_chosen() -> None:
    found = catalogue(SDIST, file("thing-6.6.tar.gz"))
    name = found.metadata("thing", "6.6").splitlines()[-1].removeprefix("Requires-Dist: ")
    assert not found.faults
    with pytest.raises(UserError, match="evil"):
        found.pin(Pinned(name, "1"))


@pytest.mark.parametrize("name", ["refused-by-python-common-x", "refused-by-python-common-0"])
def test_a_name_like_that_of_a_fault_is_any_other_name(name: str) -> None:
    shown = catalogue(SDIST, reader=Reader(name))
    assert f"Requires-Dist: {name}" in shown.metadata("thing", "1.0")
    assert shown.offers(name) == []
    assert shown.metadata(name, "99999") == ""


def test_a_fault_of_an_index_counts_in_any_case() -> None:
    found = catalogue(SDIST)
    # After it nothing is asked for any more.
    assert (found.offers("broken"), found.metadata("broken", "1"), found.offers("thing")) == ([], "", [])
    assert [str(fault) for fault in found.faults] == ["error: the index is on fire\n hint: run"]


def test_what_is_provided_has_one_release_that_needs_nothing() -> None:
    found = catalogue(SDIST, reader=Reader("lib"), provided={"thing": "0.1", "other": ""})
    assert [[offer.version for offer in found.offers(name)] for name in ("thing", "other")] == [["0.1"], ["99999"]]
    assert "Requires-Dist" not in found.metadata("thing", "0.1")
