"""What pip-compile prints, and what is made of it."""

from __future__ import annotations

from toolkit.engines import pip_errors
from toolkit.engines.engine import Request
from toolkit.model.targets import Targets
from toolkit.network.index_settings import Indexes

CONFLICT = """\
  ERROR: Cannot install -r requirements.in (line 1) and werkzeug<2 because these package versions have conflicting \
dependencies.
Traceback (most recent call last):
  File "x.py", line 1, in resolve
pip._vendor.resolvelib.ResolutionImpossible: [RequirementInformation(...)]
  Collecting flask

  The conflict is caused by:
      The user requested werkzeug<2
      flask 3.0.0 depends on Werkzeug>=3.0.0

  To fix this you could try to:
  1. loosen the range of package versions you've specified
"""
REQUEST = Request(
    requirements=("flask==3.0", "werkzeug<2"),
    targets=Targets(pythons=("3.11",)),
    platforms=("linux",),
    origins={"flask==3.0": "a/requirements.txt:1", "werkzeug<2": "a/requirements.txt:2"},
)


def test_a_conflict_names_both_requirements_and_shows_both_chains() -> None:
    error = pip_errors.explain(CONFLICT, REQUEST, Indexes())
    assert error.what == (
        "a/requirements.txt:1: flask==3.0, a/requirements.txt:2: werkzeug<2 cannot be satisfied together"
    )
    assert "flask 3.0.0 depends on Werkzeug>=3.0.0" in error.details
    assert "Traceback" not in str(error)
    assert "loosen" not in str(error)


def test_the_list_of_all_versions_is_cut() -> None:
    text = "ERROR: Could not find a version that satisfies the requirement a>9 (from versions: 1, 2, 3, 4, 5, 6, 7)"
    assert pip_errors.readable(text).endswith("a>9 (the last ones: 3, 4, 5, 6, 7)")


def test_an_exception_nobody_expected_is_told_without_its_traceback() -> None:
    output = 'Traceback (most recent call last):\n  File "x.py", line 1\ntarfile.ReadError: not a gzip file\n'
    error = pip_errors.explain(output, REQUEST, Indexes())
    assert error.what == "pip-compile failed: ReadError: not a gzip file"
    assert error.details == ""
