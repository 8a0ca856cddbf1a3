"""What is locked, and what is built, is complete: nothing that a distribution requires is left out."""

from __future__ import annotations

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from tests.integration.workshop import Workshop


def local(shop: Workshop) -> list[str]:
    return [item.name for item in shop.lock().local]


def test_a_local_package_that_only_the_index_requires_joins_with_its_requirements(
    shop: Workshop, index: LocalIndex
) -> None:
    sdists.publish(index, "deep", "1.0")
    sdists.publish(index, "wire", "1.0", requires=["Local_Six>=0.5"])
    sdists.publish(index, "web", "1.0", requires=["wire", "other; extra == 'more'"])
    shop.service("app", "web").package("local_six").package("other").write({"local_six/requirements.txt": "deep\n"})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert local(shop) == ["local-six", "app"]
    assert shop.keys() == ["deep==1.0", "web==1.0", "wire==1.0"]
    assert "local-six" in shop.run("why", "local-six").out
    assert shop.build().status == 0
    assert shop.vendor("--upgrade", "web").status == 0
    assert local(shop) == ["local-six", "app"]


def test_a_local_package_of_an_extra_joins_where_that_is_asked_for(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "web", "1.0", requires=["other; extra == 'more'", "third; sys_platform == 'win32'"])
    shop.service("app", "web[more]").package("other").package("third")
    assert shop.vendor().status == 0
    assert local(shop) == ["other", "app"]


@pytest.mark.parametrize("declared", ["requirements-http.txt", "pyproject.toml"])
def test_an_extra_of_a_local_package_that_the_index_asks_for_counts(
    shop: Workshop, index: LocalIndex, declared: str
) -> None:
    sdists.publish(index, "client", "1.0")
    sdists.publish(index, "web", "1.0", requires=["lib[http,unknown]"])
    shop.service("app", "web").package("lib")
    table = (shop.root / "lib/pyproject.toml").read_text() + '[project.optional-dependencies]\nhttp = ["client"]\n'
    shop.write({f"lib/{declared}": table if declared == "pyproject.toml" else "client\n"})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert (local(shop), shop.keys()) == (["lib", "app"], ["client==1.0", "web==1.0"])
    assert "web==1.0 requires `lib[http,unknown]`, but lib/ has no extra `unknown`" in done.err


@pytest.mark.parametrize("metadata", [True, False])
def test_an_extra_that_a_distribution_does_not_have_is_told(shop: Workshop, index: LocalIndex, metadata: bool) -> None:
    sdists.publish(index, "http2", "1.0")
    sdists.publish(index, "web", "1.0", requires=["http2; extra == 'Http_2'"], metadata=metadata)
    shop.service("app", "web[http-2]\nweb[htpt2,socks]\n")
    done = shop.vendor()
    assert done.status == 0, done.err
    assert shop.keys() == ["http2==1.0", "web==1.0"]
    told = [line.partition("warning: ")[2] for line in done.err.splitlines() if "has no extra" in line]
    assert told == [
        "app/requirements.txt:2: web 1.0 has no extra `htpt2`: did you mean http-2?",
        "app/requirements.txt:2: web 1.0 has no extra `socks`: it is asked for in vain: remove it",
    ]


def test_a_package_that_takes_the_place_of_what_was_locked_is_told(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "wire", "1.5")
    sdists.publish(index, "web", "1.0", requires=["wire"])
    shop.service("app", "web")
    assert "is taken for" not in shop.vendor().err
    # As an unpacked sdist that nobody has deleted would.
    shop.package("wire")
    done = shop.vendor()
    assert done.status == 0, done.err
    assert "warning: wire: wire/ is taken for wire 1.5, which was locked from an index" in done.err
    assert "is taken for" not in shop.vendor().err


def test_a_local_package_that_the_index_requires_has_to_fit(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "web", "1.0", requires=["lib>=1.5"])
    shop.service("app", "web").package("lib")
    assert shop.vendor().error == (
        "web 1.0 requires `lib>=1.5`, but lib/ is version 1.0",
        "bring lib/ to a version that fits, or constrain web to a version that takes this one",
    )
    assert not (shop.root / "vendor").exists()


def test_a_local_package_that_fits_no_more_is_seen_offline(shop: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "web", "1.0", requires=["lib<2"])
    shop.service("app", "web").package("lib")
    assert shop.vendor().status == 0
    shop.write({"lib/pyproject.toml": (shop.root / "lib/pyproject.toml").read_text().replace('"1.0"', '"2.0"')})
    done = shop.run("build")
    assert "web 1.0 requires `lib<2`, but lib/ is version 2.0" in done.err
    assert done.status == 1


def test_a_build_that_requires_more_than_was_locked(shop: Workshop, index: LocalIndex) -> None:
    shop.service("app", requires=["idna>=3"])
    assert shop.vendor().status == 0
    assert shop.build().error == (
        "app requires `idna>=3`, which is not installed",
        "add the line `idna>=3` to app/requirements.txt and run `make vendor`, or remove it from what app declares",
    )


@pytest.mark.parametrize("metadata", [True, False])
def test_what_an_archive_requires_is_locked(shop: Workshop, index: LocalIndex, metadata: bool) -> None:
    sdists.publish(index, "idna", "1.0")
    sdists.publish(index, "quick", "1.0")
    index.add("thing-1.0.tar.gz", sdists.make_sdist("thing", "1.0", requires=["idna"], metadata=metadata))
    shop.service("app", "thing").write(
        {"app/vendor.txt": f"{index.url.rstrip('/').rpartition('/')[0]}/files/thing-1.0.tar.gz\n"}
    )
    done = shop.vendor()
    assert done.status == 0, done.err
    assert shop.keys() == ["idna==1.0", "thing==1.0"]
    assert shop.build().status == 0
    before = shop.lock().packages
    shop.write({"app/requirements.txt": "thing\nquick\n"})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert [item for item in shop.lock().packages if item.name != "quick"] == list(before)
