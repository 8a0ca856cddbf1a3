"""Imports of linked packages that stand in several directories, or under other names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.develop import import_hook


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a site-packages directory with what only wheels have; the sources are in `one` and `two` beside it."""
    for name, text in {
        "one/pkg/__init__.py": "NAME = 'pkg'",
        "one/pkg/sub/__init__.py": "",
        "two/pkg/other.py": "",
        "code/__init__.py": "",
        "code/part.py": "from . import made",
        "renamed.py": "NAME = __name__",
        "site/pkg/made.py": "",
        "site/pkg/sub/made.py": "",
        "site/acme/mapped/made.py": "",
        "here/acme/mapped/nothing.txt": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path / "site"


def run(site: Path, code: str) -> str:
    above = site.parent
    places = {
        "acme.mapped": str(above / "code"),
        "pkg.renamed": str(above / "renamed.py"),
        "far.off": str(above / "code"),
    }
    roots = [str(above / "one"), str(above / "two")]
    hook = Path(import_hook.__file__).read_text(encoding="utf-8")
    (site / "hook.py").write_text(f"{hook}\n\nadd({roots!r}, {places!r})\n")
    start = f"import sys; sys.path[1:1] = {[str(site), *roots]!r}; import hook"
    words = [sys.executable, "-S", "-c", f"{start}\n{code}"]
    done = subprocess.run(words, cwd=above / "here", capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


@pytest.mark.parametrize(
    ("module", "file"),
    [
        ("pkg", "one/pkg/__init__.py"),
        ("pkg.made", "site/pkg/made.py"),
        ("pkg.sub.made", "site/pkg/sub/made.py"),
        ("pkg.other", "two/pkg/other.py"),
        ("pkg.renamed", "renamed.py"),
        ("acme.mapped", "code/__init__.py"),
        ("acme.mapped.part", "code/part.py"),
        ("acme.mapped.made", "site/acme/mapped/made.py"),
        ("far.off.part", "code/part.py"),
    ],
)
def test_a_module_is_found_where_it_is(site: Path, module: str, file: str) -> None:
    said = run(site, f"import importlib; print(importlib.import_module({module!r}).__file__)")
    if module == "far.off.part":
        assert "cannot import name 'made' from 'far.off'" in said
    else:
        assert said == str(site.parent / file)


def test_what_is_nowhere_is_not_found(site: Path) -> None:
    assert "No module named 'pkg.nowhere'" in run(site, "import pkg.nowhere")
    assert "No module named 'nowhere'" in run(site, "import nowhere")
    assert "No module named 'far.away'" in run(site, "import far.away")
