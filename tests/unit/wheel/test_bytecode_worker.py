"""A module that the compiler cannot cope with is given up, and the others are compiled."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from toolkit.build import interpreters
from toolkit.wheel import bytecode_worker, image

#: The compiler writes the last block of each `try` twice, so that 18 within each other make a quarter of a million.
LONG = "".join(f"{' ' * n}try: pass\n{' ' * n}finally:\n" for n in range(18)) + f"{' ' * 18}a\n"


def compiled(directory: Path, **modules: str) -> list[str]:
    for name, text in modules.items():
        (directory / f"{name}.py").write_text(text)
    (directory / "written").mkdir()
    bytecode_worker.main(str(directory), str(directory / "written"), "/final")
    return sorted(path.name.partition(".")[0] for path in (directory / "written").rglob("*") if path.is_file())


def test_what_takes_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bytecode_worker, "_LONGEST", 1)
    assert compiled(tmp_path, a="x = 1\n", b=LONG, c="x = 2\n") == ["a", "c"]
    assert capfd.readouterr().out == "given up: /final/b.py: it takes the compiler too long\n"


def test_what_takes_too_much_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    monkeypatch.setattr(bytecode_worker, "_MEMORY", used + (100 << 20))
    assert compiled(tmp_path, a="x = 1\n", b=LONG, c="x = 2\n") == ["a", "c"]


def test_what_crashes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    sound = bytecode_worker.compile_module

    def crash(path: str, target: str, final: str) -> None:
        if final.endswith(("a.py", "c.py")):
            Path(target).parent.mkdir(exist_ok=True)
            Path(target).write_bytes(b"half of i")
            os.kill(os.getpid(), signal.SIGKILL)
        sound(path, target, final)

    monkeypatch.setattr(bytecode_worker, "compile_module", crash)
    assert compiled(tmp_path, a="", b="", c="", d="") == ["b", "d"]
    said = capfd.readouterr().out.splitlines()
    assert said == [f"given up: /final/{name}.py: the compiler ends with -9" for name in "ac"]


def test_all_together_may_not_take_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bytecode_worker, "_ALL", 1)
    assert compiled(tmp_path, a="", b=LONG, c="") == ["a"]
    assert "given up: /final/c.py, and all behind it: 1 s are over" in capfd.readouterr().out


@pytest.mark.parametrize("text", ["not " * 100_000, "a" + ".b" * 200_000, "\0", "# coding: bz2", "(" * 300, "print 1"])
def test_what_is_no_python_is_left_alone(tmp_path: Path, text: str) -> None:
    assert compiled(tmp_path, a="", b=text, c="") == ["a", "c"]


def test_what_is_given_up_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    used = interpreters.find((f"{sys.version_info.major}.{sys.version_info.minor}",), sys.executable)
    (tmp_path / "worker.py").write_text("print('given up: /final/\\x1b[2J.py: why')\n")
    monkeypatch.setattr(image, "_WORKER", tmp_path / "worker.py")
    image.compile_modules(tmp_path, tmp_path, Path("/final"), used)
    assert capsys.readouterr().err == "warning: no byte code: /final/\\x1b[2J.py: why\n"
