"""How a box is named, found and made, and what is said when it cannot be."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.debian import build_user, chroot
from toolkit.debian.build_user import Account
from toolkit.debian.chroot import Recipe
from toolkit.project.settings import Settings
from toolkit.stand import box, boxes, disk

TOOLKIT = Path(__file__).resolve().parents[3]
RECIPE = Recipe(
    suite="trixie", architecture="amd64", variant="minbase", sources=("deb http://mirror.example/debian trixie main",)
)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings of a project on a machine where all that takes long is done in no time."""

    def bootstrap(words: list[str], recipe: Recipe, user: Account, base: Path, log: Path, tag: str) -> None:
        (base / "root.tar").write_bytes(b"a system")

    def write(tarball: Path, layout: disk.Layout, user: Account, base: Path, epoch: int) -> Path:
        (base / "disk.raw").write_bytes(tarball.read_bytes())
        return base / "disk.raw"

    def convert(words: list[str | Path], **how: object) -> str:
        if words[0] == "qemu-img":
            shutil.copyfile(words[-2], words[-1])
            return ""
        return run(words, **how)  # type: ignore[arg-type]

    run = process.run
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(build_user, "account", lambda: Account(name="me", uid=0, gid=0, is_other=False))
    monkeypatch.setattr(chroot, "bootstrap", bootstrap)
    monkeypatch.setattr(disk, "write", write)
    monkeypatch.setattr(disk, "has_boot_loader", lambda: True)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(process, "run", convert)
    return Settings(project=tmp_path / "project", toolkit=TOOLKIT)


def test_there_is_no_box_before_one_is_made(settings: Settings) -> None:
    assert boxes.find("trixie") is None


def test_a_box_is_found_under_the_version_it_was_made_with(settings: Settings) -> None:
    assert boxes.find("trixie") is None
    made = box.make(RECIPE, settings)
    assert boxes.find("trixie") == made
    assert made.name == "python-common/trixie"


def test_a_box_whose_file_was_removed_is_none(settings: Settings) -> None:
    box.make(RECIPE, settings).path.unlink()
    assert boxes.find("trixie") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"versions": []}'])
def test_a_damaged_catalogue_is_none(settings: Settings, text: str) -> None:
    box.make(RECIPE, settings).catalogue.write_text(text)
    assert boxes.find("trixie") is None


def test_the_catalogue_names_the_file_and_its_hash(settings: Settings) -> None:
    made = box.make(RECIPE, settings)
    version = json.loads(made.catalogue.read_text())["versions"][0]
    digest = hashlib.sha256(made.path.read_bytes()).hexdigest()
    assert version["version"] == made.version
    assert version["providers"] == [
        {"name": "libvirt", "url": made.path.as_uri(), "checksum_type": "sha256", "checksum": digest}
    ]


def test_a_box_holds_what_vagrant_looks_for(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    subprocess.run(["tar", "-xzf", box.make(RECIPE, settings).path, "-C", tmp_path / "open"], check=True)
    assert {path.name for path in (tmp_path / "open").iterdir()} == {"box.img", "metadata.json", "Vagrantfile"}
    assert json.loads((tmp_path / "open/metadata.json").read_text())["provider"] == "libvirt"
    assert (tmp_path / "open/box.img").read_bytes() == b"a system"


def test_nothing_is_left_of_a_box_that_fails(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = box.make(RECIPE, settings)

    def fail(*given: object) -> Path:
        raise UserError("no space left")

    monkeypatch.setattr(disk, "write", fail)
    with pytest.raises(UserError, match="no space left"):
        box.make(RECIPE, settings)
    assert boxes.find("trixie") == made
    assert not list(tmp_path.glob("python-common-*"))


def test_tools_that_are_missing_are_named_all_at_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "has_boot_loader", lambda: False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UserError) as caught:
        box.make(RECIPE, settings)
    assert caught.value.hint == "apt-get install grub-pc-bin grub-common qemu-utils"


def test_the_kernel_is_the_distributions_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = tmp_path / "ubuntu.csv"
    table.write_text("version,codename,series\n24.04 LTS,Noble Numbat,noble\n")
    monkeypatch.setattr(box, "_DISTRO_INFO", table)
    assert "linux-image-amd64" in kernel_of("trixie")
    assert "linux-image-generic" in kernel_of("noble")


def kernel_of(suite: str) -> str:
    recipe = Recipe(suite=suite, architecture="amd64", sources=RECIPE.sources, variant="minbase")
    return next(word for word in box.command(recipe, Path("/base")) if word.startswith("--include="))
