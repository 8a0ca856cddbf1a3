"""What of a project's sources is seen where their modules are imported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.install import shown_sources
from toolkit.sandbox import confined
from toolkit.sandbox.confined import Means, Sandbox


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a directory with a package, a module, and what is nobody's business."""
    for name in ("src/one/__init__.py", "src/one/part/__init__.py", "src/two.py", "src/.env", "src/one/.secret"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path / "src"


def sandbox(monkeypatch: pytest.MonkeyPatch, means: Means) -> Sandbox:
    monkeypatch.setattr(confined, "_find_means", lambda: (means, None))
    return replace(confined.default(), mode="on")


@pytest.mark.parametrize("means", [Means.ROOT, Means.USER])
def test_copies_are_seen_at_the_paths_of_the_sources(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, means: Means
) -> None:
    found = shown_sources.show([source / "one", source / "two.py"], tmp_path / "made", sandbox(monkeypatch, means))
    assert list(found.readable) == [str(source / "one"), str(source / "two.py")]
    one, two = found.readable.values()
    assert sorted(str(path.relative_to(one)) for path in one.rglob("*")) == ["__init__.py", "part", "part/__init__.py"]
    assert two.read_text() == "src/two.py"
    assert not found.stand_ins


def test_without_paths_of_its_own_directories_of_links_stand_in(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "made"
    found = shown_sources.show([source / "one", source / "two.py"], made, sandbox(monkeypatch, Means.LANDLOCK))
    assert found.readable == {str(path): path for path in (made, source / "one", source / "two.py")}
    [stand_in] = found.stand_ins
    assert sorted(path.name for path in Path(stand_in).iterdir()) == ["one", "two.py"]
    assert found.real(f'File "{stand_in}/one/__init__.py", line 1') == f'File "{source}/one/__init__.py", line 1'
