"""What uv 0.13 prints, word for word, and what is made of it."""

from __future__ import annotations

import pytest

from toolkit.engines import uv_errors
from toolkit.engines.engine import Request
from toolkit.model.targets import Targets
from toolkit.network.index_settings import Indexes

INDEXES = Indexes(url="https://user:s3cret@host.test/simple")
CANNOT = "error: No solution found when resolving dependencies\n  cause: "
END = ", we can conclude that your requirements are unsatisfiable."


def request(*requirements: str) -> Request:
    origins = {text: f"service/requirements.txt:{number}" for number, text in enumerate(requirements, 1)}
    return Request(requirements=requirements, targets=Targets(pythons=("3.11",)), platforms=("linux",), origins=origins)


CONFLICT = f"""{CANNOT}Because requests==2.31.0 depends on urllib3>=1.21.1,<3 and you require requests==2.31.0, \
we can conclude that you require urllib3>=1.21.1,<3.
         And because you require urllib3>=3{END}"""
UNREADABLE = f"""{CANNOT}Because lib==1.0 has invalid metadata and only lib==1.0 is available, we can conclude that \
all versions of lib cannot be used.
         And because you require lib{END}

hint: Metadata for `lib` (v1.0) could not be parsed:
  The ~= operator requires at least two segments in the release version
  other~=1
       ^^^"""
PYTHON = f"""{CANNOT}Because the requested Python version (>=3.11) does not satisfy Python>=3.12 and numpy==2.5.0 \
depends on Python>=3.12, we can conclude that numpy==2.5.0 cannot be used.
         And because you require numpy==2.5.0{END}

hint: The `requires-python` value (>=3.11) includes Python versions that are not supported by your dependencies."""


@pytest.mark.parametrize(
    ("requirements", "output", "what"),
    [
        (
            "nosuch",
            f"{CANNOT}Because nosuch was not found in the package registry and you require nosuch{END}",
            "1: no distribution `nosuch` in https://host.test/simple",
        ),
        (
            "click a==9",
            f"{CANNOT}Because there is no version of a==9 and you require a==9{END}",
            "2: no version satisfies `a==9`",
        ),
        (
            "requests>=99",
            f"{CANNOT}Because only requests<=2.34.2 is available and you require requests>=99{END}",
            "1: no version satisfies `requests>=99`",
        ),
        (
            "requests==2.31.0 urllib3>=3",
            CONFLICT,
            "1: requests==2.31.0, service/requirements.txt:2: urllib3>=3 cannot be satisfied together",
        ),
        ("lib", UNREADABLE, "1: lib 1.0 requires what is no requirement"),
        ("numpy==2.5.0", PYTHON, "1: numpy==2.5.0 needs Python >=3.12, but the target is 3.11"),
    ],
)
def test_what_is_wrong_with_a_requirement_is_one_line_with_its_place(requirements: str, output: str, what: str) -> None:
    error = uv_errors.explain(output, request(*requirements.split()), INDEXES)
    assert error.what == f"service/requirements.txt:{what}"
    assert error.hint
    assert "\n" not in error.hint


@pytest.mark.parametrize(
    ("output", "what"),
    [
        (
            f"{CANNOT}Because no.such was not found in the package registry and other depends on no.such{END}",
            "no distribution `no.such` in https://host.test/simple",
        ),
        ("error: something new", "the requirements: something new"),
    ],
)
def test_what_is_wrong_elsewhere_is_one_line(output: str, what: str) -> None:
    error = uv_errors.explain(output, request("click"), INDEXES)
    assert error.what == what
    assert error.hint


def test_the_explanation_is_kept() -> None:
    assert uv_errors.explain("error: something new", request("click"), INDEXES).details == "uv: something new"


def test_releases_left_out_are_mentioned() -> None:
    asked = Request(
        requirements=("a>=2",), targets=Targets(pythons=("3.11",)), platforms=("linux",), exclude_newer="2026-01-01"
    )
    what, _ = uv_errors.no_version("a>=2", asked)
    assert what == "no version satisfies `a>=2` (releases after 2026-01-01 are left out)"
