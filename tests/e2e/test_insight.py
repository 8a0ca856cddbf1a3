"""What the example has, and why, is told about real distributions, by a real index."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from tests.e2e.machine import run
from toolkit.model.names import normalize


def test_why_finds_the_chains_of_what_is_shipped_and_of_what_builds_it(
    example: Path, environment: dict[str, str]
) -> None:
    told = run(["make", "why", "multidict", "hatchling"], cwd=example, env=environment)
    assert "requirements.txt:2: aiohttp -> multidict" in told
    assert "=> hatchling" in told


def test_the_picture_shows_all_that_is_locked(example: Path, environment: dict[str, str]) -> None:
    run(["make", "graph"], cwd=example, env=environment)
    svg = "{http://www.w3.org/2000/svg}"
    groups = ElementTree.parse(example / "dist" / "example-service.svg").getroot().iter(f"{svg}g")
    shown = {group.findtext(f"{svg}text") for group in groups if str(group.get("class")).startswith("node")}
    stems = [path.name.rpartition("-")[0] for path in (example / "vendor").glob("*.tar.gz")]
    vendored = {normalize(stem) for stem in stems}
    assert len(vendored) > 20
    assert vendored <= shown


def test_what_has_just_been_vendored_is_what_an_upgrade_would_choose(
    example: Path, environment: dict[str, str]
) -> None:
    rows = json.loads(run(["make", "outdated", "JSON=1"], cwd=example, env=environment))
    assert [row for row in rows if row["part"] == "shipped" and row["allowed"] != row["locked"]] == []
