"""The tools environment, made for real from the local index, with one small tool in it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from toolkit.core.errors import UserError
from toolkit.network import tools_environment
from toolkit.network.index_options import IndexOptions

SCRIPTS = Path(tools_environment.__file__).resolve().parents[2]


@pytest.fixture
def tools_txt(index: LocalIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return pins of one tool, which the index has, and make them those of the toolkit."""
    filename = sdists.publish_wheel(index, "tiny-tool", "1.0")
    file = index.file(filename)
    assert file
    path = tmp_path / "tools.txt"
    path.write_text(f"tiny-tool==1.0 --hash=sha256:{hashlib.sha256(file.content).hexdigest()}\n", encoding="utf-8")
    monkeypatch.setattr(tools_environment, "REQUIREMENTS", path)
    return path


@pytest.fixture
def verb(tmp_path: Path, tools_txt: Path, index: LocalIndex) -> Path:
    """Return a verb that enters the tools environment and says where it is and what it was told."""
    path = tmp_path / "verb.py"
    path.write_text(
        textwrap.dedent(f"""
        import sys
        from argparse import Namespace
        from pathlib import Path

        sys.path.insert(0, {str(SCRIPTS)!r})
        from toolkit.core import console
        from toolkit.network import index_options, tools_environment

        tools_environment.REQUIREMENTS = Path({str(tools_txt)!r})

        def main():
            asked = next((word for word in sys.argv if "://" in word), {index.url!r})
            options = index_options.from_arguments(Namespace(index_url=asked))
            tools_environment.enter(options)
            import tiny_tool
            print("asked", options.index_url, file=sys.stderr)
            print(sys.prefix, tiny_tool.VERSION, sys.argv[1:])

        sys.exit(console.run_main(main))
    """),
        encoding="utf-8",
    )
    return path


def options(index: LocalIndex) -> IndexOptions:
    return IndexOptions(index_url=index.url)


def run(verb: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(verb), *words],
        env={**os.environ, **environment},
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )


def tool(python: Path) -> Path:
    [found] = python.parents[1].glob("lib/python3.*/site-packages/tiny_tool.py")
    return found


def test_a_verb_starts_again_inside_with_the_same_arguments(verb: Path) -> None:
    done = run(verb, "a b", "", "--x=1")
    assert done.returncode == 0, done.stderr
    said, answer = done.stdout.splitlines()
    assert said.startswith("  TOOLS   ")
    assert answer.endswith("1.0 ['a b', '', '--x=1']")
    again = run(verb, PYTHONPATH="/nonexistent")
    assert again.stdout.splitlines() == [f"{answer.split(' ')[0]} 1.0 []"]


def test_a_verb_that_starts_again_shows_no_password(verb: Path, index: LocalIndex) -> None:
    secret = index.url.replace("://", "://user:s3cret@")
    done = run(verb, secret)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith(f"1.0 ['{index.url}']")
    assert done.stderr.splitlines() == [f"asked {secret}"]


def test_it_is_made_once_although_two_verbs_start_at_once(verb: Path, index: LocalIndex) -> None:
    words = [sys.executable, str(verb)]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = ["".join(child.communicate(timeout=120)) for child in both]
    assert [child.returncode for child in both] == [0, 0], outputs
    assert sum(output.count("  TOOLS   ") for output in outputs) == 1
    assert index.requests["/files/tiny_tool-1.0-py3-none-any.whl"] == 1


def _unfinished(python: Path) -> None:
    (python.parents[1] / "complete.json").unlink()


def _without_interpreter(python: Path) -> None:
    python.unlink()
    python.symlink_to("/nonexistent/python")


def _truncated(python: Path) -> None:
    tool(python).write_bytes(b"")


DAMAGES: dict[str, Callable[[Path], None]] = {
    "a missing file": lambda python: tool(python).unlink(),
    "a truncated file": _truncated,
    "an interpreter that is gone": _without_interpreter,
    "a first run that was interrupted": _unfinished,
}


def test_damage_is_noticed_and_mended(index: LocalIndex, tools_txt: Path, tmp_path: Path) -> None:
    python = tools_environment.make(Path(sys.executable), options(index))
    whole = shutil.copytree(python.parents[1], tmp_path / "whole", symlinks=True)
    for what, damage in DAMAGES.items():
        assert tools_environment.is_sound(python.parents[1])
        damage(python)
        assert not tools_environment.is_sound(python.parents[1]), what
        shutil.rmtree(python.parents[1])
        shutil.copytree(whole, python.parents[1], symlinks=True)
    _unfinished(python)
    tool(python).unlink()
    assert tools_environment.make(Path(sys.executable), options(index)) == python
    done = subprocess.run([python, "-c", "import tiny_tool; print(tiny_tool.VERSION)"], capture_output=True, check=True)
    assert done.stdout == b"1.0\n"


def test_settings_of_pip_cannot_bend_it(
    index: LocalIndex, tools_txt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "constraints.txt").write_text("tiny-tool<1\n", encoding="utf-8")
    configuration = tmp_path / "pip.conf"
    configuration.write_text(
        f"[global]\nconstraint = {tmp_path / 'constraints.txt'}\nuser = true\n"
        "extra-index-url = file:///nonexistent/simple\nno-index = true\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "elsewhere"))
    assert tool(tools_environment.make(Path(sys.executable), options(index))).is_file()


def test_a_file_with_another_hash_is_refused(index: LocalIndex, tools_txt: Path) -> None:
    index.fails("/files/tiny_tool-1.0-py3-none-any.whl", "corrupt")
    with pytest.raises(UserError, match="tools cannot be installed") as caught:
        tools_environment.make(Path(sys.executable), options(index))
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in caught.value.details
    index.faults.clear()
    assert tools_environment.make(Path(sys.executable), options(index)).exists()


def test_an_interpreter_without_ensurepip_is_named_with_the_package_to_install(tmp_path: Path, tools_txt: Path) -> None:
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\ncase $* in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"\n', "utf-8")
    python.chmod(0o755)
    with pytest.raises(UserError, match=f"virtual environments of {python} need: python3-venv") as caught:
        tools_environment.make(python)
    assert caught.value.hint.startswith("apt-get install python3-venv; ")


def test_the_pins_name_no_index_and_hash_every_file() -> None:
    text = (SCRIPTS / "tools.txt").read_text(encoding="utf-8")
    assert "://" not in text
    requirements = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert requirements
    assert all("==" in line and line.endswith("\\") for line in requirements)


def test_every_tool_is_explained() -> None:
    text = (SCRIPTS.parent / "docs" / "dependencies.md").read_text(encoding="utf-8")
    tools = (SCRIPTS / "tools.in").read_text(encoding="utf-8").splitlines()
    assert [name for name in tools if name and not name.startswith("#") and f"| {name} |" not in text] == []
