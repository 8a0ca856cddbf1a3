"""How a box is named, found and made, and the errors when it cannot be."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import subprocess
import uuid
from pathlib import Path

import pytest

from toolkit.core.errors import UserError
from toolkit.debian import build_user, chroot, suites
from toolkit.debian.build_user import Account
from toolkit.debian.chroot import Recipe
from toolkit.project.settings import Settings
from toolkit.stand import box_build, boxes

TOOLKIT = Path(__file__).resolve().parents[3]
RECIPE = Recipe(
    suite="trixie", architecture="amd64", variant="minbase", sources=("deb http://mirror.example/debian trixie main",)
)

IDENTITY = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")
BOOT = bytes(range(256)) * 2


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings of a project on a machine where all that takes long is done in no time."""

    def bootstrap(words: list[str], recipe: Recipe, user: Account, base: Path, log: Path, tag: str) -> None:
        (base / "root.tar").write_bytes(b"a system")

    def write(recipe: Recipe, user: Account, base: Path) -> None:
        (base / "root.tar").rename(base / "box.img")

    (tmp_path / "grub").mkdir()
    (tmp_path / "grub/boot.img").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(build_user, "account", lambda: Account(name="me", uid=0, gid=0, is_other=False))
    monkeypatch.setattr(chroot, "bootstrap", bootstrap)
    monkeypatch.setattr(box_build, "_write_disk", write)
    monkeypatch.setattr(box_build, "GRUB", tmp_path / "grub")
    monkeypatch.setattr(shutil, "which", lambda name, **how: f"/usr/bin/{name}")
    return Settings(project=tmp_path / "project", toolkit=TOOLKIT)


def test_a_box_is_found_under_the_version_it_was_made_with(settings: Settings) -> None:
    assert boxes.find("trixie") is None
    made = box_build.make(RECIPE, settings)
    assert boxes.find("trixie") == made
    assert made.name == "python-common/trixie"


def test_a_box_whose_file_was_removed_is_none(settings: Settings) -> None:
    box_build.make(RECIPE, settings).path.unlink()
    assert boxes.find("trixie") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"versions": []}'])
def test_a_damaged_catalogue_is_none(settings: Settings, text: str) -> None:
    box_build.make(RECIPE, settings).catalogue.write_text(text)
    assert boxes.find("trixie") is None


def test_the_catalogue_names_the_file_and_its_hash(settings: Settings) -> None:
    made = box_build.make(RECIPE, settings)
    version = json.loads(made.catalogue.read_text())["versions"][0]
    digest = hashlib.sha256(made.path.read_bytes()).hexdigest()
    assert version["version"] == made.version
    assert version["providers"] == [
        {"name": "libvirt", "url": made.path.as_uri(), "checksum_type": "sha256", "checksum": digest}
    ]


def test_a_box_holds_what_vagrant_looks_for(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    subprocess.run(["tar", "-xzf", box_build.make(RECIPE, settings).path, "-C", tmp_path / "open"], check=True)
    assert {path.name for path in (tmp_path / "open").iterdir()} == {"box.img", "metadata.json", "Vagrantfile"}
    assert json.loads((tmp_path / "open/metadata.json").read_text())["provider"] == "libvirt"
    assert (tmp_path / "open/box.img").read_bytes() == b"a system"


def test_nothing_is_left_of_a_box_that_fails(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = box_build.make(RECIPE, settings)

    def fail(*given: object) -> None:
        raise UserError("no space left")

    monkeypatch.setattr(box_build, "_write_disk", fail)
    with pytest.raises(UserError, match="no space left"):
        box_build.make(RECIPE, settings)
    assert boxes.find("trixie") == made
    assert not list(tmp_path.glob("python-common-*"))


def test_tools_that_are_missing_are_named_all_at_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    (box_build.GRUB / "boot.img").unlink()
    monkeypatch.setattr(shutil, "which", lambda name, **how: None)
    with pytest.raises(UserError) as caught:
        box_build.make(RECIPE, settings)
    assert caught.value.hint == "apt-get install grub-common qemu-utils grub-pc-bin"


def test_the_kernel_is_the_distributions_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ubuntu.csv").write_text("version,codename,series\n24.04 LTS,Noble Numbat,noble\n")
    monkeypatch.setattr(suites, "TABLES", tmp_path)
    assert "linux-image-amd64" in kernel_of("trixie")
    assert "linux-image-generic" in kernel_of("noble")


def kernel_of(suite: str) -> str:
    recipe = Recipe(suite=suite, architecture="amd64", sources=RECIPE.sources, variant="minbase")
    return next(word for word in box_build.command(recipe, Path("/base")) if word.startswith("--include="))


def test_the_record_starts_with_the_boot_loader_and_ends_with_its_signature() -> None:
    written = box_build.boot_sectors(BOOT, b"core", IDENTITY)
    assert written[:440] == BOOT[:440]
    assert written[510:512] == b"\x55\xaa"


def test_the_core_follows_the_record_where_the_boot_loader_looks_for_it() -> None:
    assert box_build.boot_sectors(BOOT, b"core", IDENTITY)[512:] == b"core"


def test_the_only_partition_is_active_and_reaches_the_end_of_the_disk() -> None:
    table = box_build.boot_sectors(BOOT, b"core", IDENTITY)[446:510]
    active, kind, start, sectors = table[0], table[4], *struct.unpack("<II", table[8:16])
    assert (active, kind) == (0x80, 0x83)
    assert (start + sectors) * box_build.SECTOR == 20 * 1024**3
    assert table[16:] == bytes(48)


def test_disks_of_different_systems_have_different_identities() -> None:
    other = uuid.UUID("fedcba98-7654-3210-fedc-ba9876543210")
    assert box_build.boot_sectors(BOOT, b"", IDENTITY)[440:444] != box_build.boot_sectors(BOOT, b"", other)[440:444]


def test_a_boot_loader_that_would_reach_into_the_partition_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        box_build.boot_sectors(BOOT, bytes(box_build.START * box_build.SECTOR), IDENTITY)
