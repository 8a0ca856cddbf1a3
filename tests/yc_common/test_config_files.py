"""Files that cannot be read, or change while they are, are named or waited for."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from tests.yc_common.example_config import Server, Settings, load, mistakes
from yc_common import config
from yc_common.config import _sources
from yc_common.testing import write_config


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1, 2\nb: 3\n", "config.yaml:2: not YAML"),
        ("name: a\nworkers: 1\nname: b\n", "config.yaml:3: name: given twice (first in line 1)"),
        ("log:\n  flag: true\n  flag: false\n", "config.yaml:3: log.flag: given twice (first in line 2)"),
        ("- a\n", "config.yaml:1: expected keys with values"),
        ("just text\n", "config.yaml:1: expected keys with values"),
        ("name: a\n---\nname: b\n", "config.yaml:2: a second document"),
        ("name: !!python/object:os.system x\n", "config.yaml:1: a tag"),
        ("name: *nowhere\n", "config.yaml:1: the alias *nowhere"),
        ("log: &a\n  level: *a\n", "config.yaml:2: the alias *a has no finished anchor"),
        ("log:\n  <<: {level: debug}\n", "config.yaml:2: merge keys"),
        ("? [a]\n: b\n", "config.yaml:1: a key that is not a plain text"),
        ("name: \x01\n", "config.yaml:1: not YAML"),
        ("name: " + "[" * 20000 + "\n", "config.yaml:1: nested more than 50 deep"),
        ("name:\n\t- x\n", "config.yaml:2: not YAML"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    assert any(line.startswith(expected) for line in mistakes(tmp_path, text)), mistakes(tmp_path, text)


def test_aliases_cannot_expand_without_bound(tmp_path: Path) -> None:
    lines = ["tags: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"t{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    began = time.monotonic()
    assert any("what aliases repeat" in line for line in mistakes(tmp_path, "\n".join(lines)))
    assert time.monotonic() - began < 5


def test_an_alias_repeats_a_value(tmp_path: Path) -> None:
    settings = load(tmp_path, "named: {a: &one {host: h}, b: *one}\n")
    assert settings.named["a"] == settings.named["b"] == Server(host="h")


def test_bytes_that_are_not_utf8_are_refused_with_their_line(tmp_path: Path) -> None:
    write_config(tmp_path, "")
    (tmp_path / "config.yaml").write_bytes(b"name: a\nnick: \xff\n")
    os.utime(tmp_path / "config.yaml", (1, 1))
    with pytest.raises(config.ConfigError, match=r"config.yaml:2: not UTF-8 text"):
        config.load(Settings, "x", directory=tmp_path, environment={})


def test_files_that_would_be_ignored_or_cannot_be_read_are_mistakes(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.yml").write_text("")
    assert mistakes(tmp_path, "") == ["conf.d/a.yml: would be ignored (rename it to a.yaml)"]
    (tmp_path / "conf.d" / "a.yml").unlink()
    os.mkfifo(tmp_path / "conf.d" / "b.yaml")
    assert mistakes(tmp_path, "") == ["conf.d/b.yaml: cannot be read: not a regular file"]
    (tmp_path / "conf.d" / "b.yaml").unlink()
    (tmp_path / "conf.d" / "c.yaml").symlink_to("nowhere")
    assert mistakes(tmp_path, "") == ["conf.d/c.yaml: cannot be read: a link that leads nowhere"]


def test_a_directory_that_was_named_must_hold_a_configuration(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigError, match="holds neither"):
        config.load(Settings, "x", directory=tmp_path, environment={})


def test_files_replaced_while_they_are_read_are_never_seen_half(tmp_path: Path) -> None:
    """A writer replaces two files that belong together; whoever reads must see both old or both new."""
    done = threading.Event()

    def write() -> None:
        number = 100  # 13 is refused by a rule
        while not done.is_set():
            text = f"workers: {number}\n#{'x' * 4000}\n"
            write_config(tmp_path, text)
            write_config(tmp_path, f"memory: {number}\n", "conf.d/a.yaml")
            number += 1
            time.sleep(0.002)

    write_config(tmp_path, "workers: 99\n")
    write_config(tmp_path, "memory: 99\n", "conf.d/a.yaml")
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(50):
            settings = config.load(Settings, "x", directory=tmp_path, environment={})
            assert settings.workers in (settings.memory, settings.memory + 1)
    finally:
        done.set()
        writer.join()


def test_a_file_written_in_place_is_read_only_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("")  # as an editor leaves it between truncating and writing

    def write_meanwhile(seconds: float) -> None:
        file.write_text("workers: 7\n")
        os.utime(file, (1, 1))

    monkeypatch.setattr(time, "sleep", write_meanwhile)
    monkeypatch.setattr(_sources, "_QUIET", 60)  # however busy the machine is
    assert config.load(Settings, "x", directory=tmp_path, environment={}).workers == 7
