"""Which files belong to a local package."""

from pathlib import Path

import pytest

from toolkit.project import source_files


def tree(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def test_vendored_generated_hidden_and_nested_things_are_not_its_own(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "setup.py",
        "pkg/__init__.py",
        "bin/yc-x",
        "vendor/a.tar.gz",
        "dist/x.deb",
        "build/x",
        ".git/config",
        "pkg/__pycache__/x.pyc",
        "x.egg-info/PKG-INFO",
        "nested/setup.py",
        "nested/y.py",
        ".python-version",
    )
    assert [str(path) for path in source_files.source_files(tmp_path)] == ["setup.py", "bin/yc-x", "pkg/__init__.py"]


@pytest.mark.parametrize("name", ["build", "dist", "debian", "vendor"])
def test_modules_in_a_directory_that_is_called_as_a_generated_one_are_its_own(tmp_path: Path, name: str) -> None:
    tree(tmp_path, "setup.py", f"pkg/{name}/__init__.py", f"{name}/leftover")
    assert [str(path) for path in source_files.source_files(tmp_path)] == ["setup.py", f"pkg/{name}/__init__.py"]


def test_the_fingerprint_follows_names_contents_and_execute_bits(tmp_path: Path) -> None:
    tree(tmp_path, "setup.py", "bin/yc-x")
    seen = {source_files.fingerprint(tmp_path)}
    (tmp_path / "bin/yc-x").chmod(0o755)
    seen.add(source_files.fingerprint(tmp_path))
    (tmp_path / "bin/yc-x").write_text("other")
    seen.add(source_files.fingerprint(tmp_path))
    (tmp_path / "bin/yc-x").rename(tmp_path / "bin/yc-y")
    seen.add(source_files.fingerprint(tmp_path))
    assert len(seen) == 4


def test_the_copy_has_the_same_fingerprint(tmp_path: Path) -> None:
    tree(tmp_path / "a", "setup.py", "pkg/__init__.py")
    source_files.copy(tmp_path / "a", tmp_path / "b")
    assert source_files.fingerprint(tmp_path / "a") == source_files.fingerprint(tmp_path / "b")


def test_samples_that_tests_read_are_the_package_s_own(tmp_path: Path) -> None:
    tree(tmp_path, "setup.py", "tests/data/foo/setup.py")
    assert [*map(str, source_files.source_files(tmp_path))] == ["setup.py", "tests/data/foo/setup.py"]


@pytest.mark.parametrize("text", ['[project]\nname = "nested"\n', '[build-system]\nrequires = ["hatchling"]\n'])
def test_a_nested_package_with_only_a_pyproject_is_not_its_parents_source(tmp_path: Path, text: str) -> None:
    tree(tmp_path / "a", "setup.py", "pkg/__init__.py", "plugins/nested/nested.py")
    alone = source_files.fingerprint(tmp_path / "a")
    (tmp_path / "a/plugins/nested/pyproject.toml").write_text(text)
    assert [*map(str, source_files.source_files(tmp_path / "a"))] == ["setup.py", "pkg/__init__.py"]
    assert source_files.fingerprint(tmp_path / "a") != alone
    source_files.copy(tmp_path / "a", tmp_path / "b")
    assert not (tmp_path / "b/plugins").exists()


def test_a_pyproject_that_only_configures_tools_or_is_no_toml_makes_no_nested_package(tmp_path: Path) -> None:
    tree(tmp_path, "setup.py", "pkg/pyproject.toml", "tests/data/pyproject.toml")
    (tmp_path / "pkg/pyproject.toml").write_text("[tool.ruff]\n")
    own = [str(path) for path in source_files.source_files(tmp_path)]
    assert own == ["setup.py", "pkg/pyproject.toml", "tests/data/pyproject.toml"]


def test_what_a_tool_marks_as_its_cache_is_no_source(tmp_path: Path) -> None:
    tree(tmp_path, "setup.py", "src/lib.rs", "target/CACHEDIR.TAG", "target/release/lib.so")
    assert [*map(str, source_files.source_files(tmp_path))] == ["setup.py", "src/lib.rs"]
