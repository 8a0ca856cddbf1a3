"""A cloud image is taken by its hash alone, and becomes a box that lets Vagrant in."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.etree import ElementTree

import pytest

from toolkit.core.errors import UserError
from toolkit.stand import boxes, cloud_images
from toolkit.stand.cloud_images import Image

MIB = 1024 * 1024
ROOT, SMALL = (4 * MIB, 16 * MIB), (1 * MIB, 2 * MIB)


def partitions(*ranges: tuple[int, int]) -> bytes:
    """Return the first sectors of a disk with these partitions, from one byte to another."""
    header = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, 0, 0, 0, b"", 2, 128, 128, 0)
    entries = [struct.pack("<16s16sQQQ72s", b"t" * 16, b"u" * 16, a // 512, b // 512 - 1, 0, b"") for a, b in ranges]
    return bytes(512) + header.ljust(512, b"\0") + b"".join(entries).ljust(128 * 128, b"\0")


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a disk in QEMU's format: a small partition, and the root, which is ext4."""
    base = tmp_path_factory.mktemp("disk")
    (base / "root/var/lib").mkdir(parents=True)
    (base / "root/etc").mkdir()
    (base / "root/etc/os-release").write_text("ID=debian\n")
    raw = base / "disk.raw"
    with raw.open("wb") as stream:
        stream.write(partitions(SMALL, ROOT))
        stream.truncate(ROOT[1] + MIB)
    size = f"{(ROOT[1] - ROOT[0]) // 1024}k"
    subprocess.run(
        ["mke2fs", "-q", "-F", "-t", "ext4", "-E", f"offset={ROOT[0]}", "-d", base / "root", raw, size],
        check=True,
        env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"},
    )
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", raw, base / "disk.qcow2"], check=True)
    return (base / "disk.qcow2").read_bytes()


class Server(ThreadingHTTPServer):
    """Answers every request with `content`, of which `missing` bytes do not come."""

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.missing, self.asked = content, 0, 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/disk.qcow2"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(200 if self.path == "/disk.qcow2" else 404)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content[: len(self.server.content) - self.server.missing])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(disk: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    """Return a server that has the image; there is no box yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    boxes.directory().mkdir(parents=True)
    with Server(disk) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def image(server: Server) -> Image:
    return Image(url=server.url, algorithm="sha512", digest=hashlib.sha512(server.content).hexdigest())


def content(box: boxes.Box) -> dict[str, bytes]:
    with tarfile.open(box.path) as archive:
        files = {member.name: archive.extractfile(member) for member in archive}
        return {name: file.read() for name, file in files.items() if file}


def seed(disk: bytes, tmp_path: Path, name: str) -> str:
    """Return a file that cloud-init finds on a disk."""
    (tmp_path / "box").write_bytes(disk)
    subprocess.run(["qemu-img", "convert", "-O", "raw", tmp_path / "box", tmp_path / "raw"], check=True)
    words = ["debugfs", "-R", f"cat /var/lib/cloud/seed/nocloud/{name}", f"raw?offset={ROOT[0]}"]
    env = {"PATH": "/usr/sbin:/sbin"}
    return subprocess.run(words, cwd=tmp_path, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


def test_a_box_for_libvirt_has_the_system_and_lets_vagrant_in(server: Server, tmp_path: Path) -> None:
    made = cloud_images.make(image(server), "bookworm", "libvirt")
    files = content(made)
    assert json.loads(files["metadata.json"]) == {"provider": "libvirt", "format": "qcow2", "virtual_size": 20}
    user_data = seed(files["box.img"], tmp_path, "user-data")
    assert user_data.startswith("#cloud-config\n")
    assert "name: vagrant" in user_data
    assert "vagrant insecure public key" in user_data
    assert seed(files["box.img"], tmp_path, "meta-data") == "instance-id: python-common\n"
    size = json.loads(subprocess.check_output(["qemu-img", "info", "--output=json", tmp_path / "box"]))
    assert size["virtual-size"] == 20 * 1024**3
    checked = ["e2fsck", "-fn", f"{tmp_path}/raw?offset={ROOT[0]}"]
    assert subprocess.run(checked, check=False, env={"PATH": "/usr/sbin:/sbin"}).returncode == 0


def test_a_box_for_virtualbox_is_a_machine_that_it_imports(server: Server, tmp_path: Path) -> None:
    files = content(cloud_images.make(image(server), "bookworm", "virtualbox"))
    machine = ElementTree.parse(io.BytesIO(files["box.ovf"]))
    namespace = "{http://schemas.dmtf.org/ovf/envelope/1}"
    (file,) = machine.iter(f"{namespace}File")
    assert file.get(f"{namespace}href") in files
    (tmp_path / "box.vmdk").write_bytes(files["box.vmdk"])
    found = json.loads(subprocess.check_output(["qemu-img", "info", "--output=json", tmp_path / "box.vmdk"]))
    assert found["format-specific"]["data"]["create-type"] == "streamOptimized"
    (described,) = machine.iter(f"{namespace}Disk")
    assert described.get(f"{namespace}capacity") == str(found["virtual-size"])


def test_an_image_is_fetched_once_and_another_one_is_another_box(server: Server) -> None:
    first = cloud_images.make(image(server), "bookworm", "libvirt")
    assert cloud_images.make(image(server), "bookworm", "libvirt") == first
    assert server.asked == 1
    server.content += bytes(512)
    assert cloud_images.make(image(server), "bookworm", "libvirt").name != first.name


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"digest": "0" * 128}, "its sha512 is"),
        ({"url": "http://127.0.0.1:9/disk.qcow2"}, "cannot be fetched"),
        ({"url": "file:///nowhere/disk.qcow2"}, "cannot be fetched"),
    ],
)
def test_what_is_not_the_image_makes_no_box(server: Server, change: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        cloud_images.make(replace(image(server), **change), "bookworm", "libvirt")
    assert list(boxes.directory().iterdir()) == []


def test_a_connection_that_breaks_off_makes_no_box(server: Server) -> None:
    server.missing = 1000
    with pytest.raises(UserError, match=r"broke off after|cannot be fetched"):
        cloud_images.make(image(server), "bookworm", "libvirt")
    assert list(boxes.directory().iterdir()) == []


def test_an_image_that_is_gone_is_answered_with_what_works(server: Server) -> None:
    gone = replace(image(server), url=server.url.replace("disk", "gone"))
    with pytest.raises(UserError, match="answers 404") as caught:
        cloud_images.make(gone, "bookworm", "libvirt")
    assert "make box" in caught.value.hint


def test_the_largest_partition_is_the_root(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(partitions(SMALL, ROOT, (20 * MIB, 21 * MIB)))
    assert cloud_images.root_offset(tmp_path / "disk") == ROOT[0]


@pytest.mark.parametrize("data", [b"", bytes(2048), partitions(), partitions(ROOT)[:600]])
def test_a_disk_without_partitions_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "disk").write_bytes(data)
    with pytest.raises(UserError, match="the image has no"):
        cloud_images.root_offset(tmp_path / "disk")


def test_every_image_is_of_a_distribution_and_has_a_hash() -> None:
    for suite in cloud_images.suites():
        for architecture in ("amd64", "arm64"):
            found = cloud_images.of_architecture(suite, architecture)
            assert found
            assert architecture in found.url
            assert found.url.startswith(("https://cloud.debian.org/", "https://cloud-images.ubuntu.com/"))
            assert cloud_images.parse(f"{found.url}#{found.algorithm}:{found.digest}") == found


@pytest.mark.parametrize(
    "text", ["me/mine", "https://x.example/i.qcow2", "https://x.example/i.qcow2#sha512:00", "#md5:"]
)
def test_a_text_without_an_image_and_its_hash_is_none(text: str) -> None:
    assert cloud_images.parse(text) is None


def test_a_hash_may_be_written_in_capitals() -> None:
    given = cloud_images.parse("https://x.example/i.qcow2#sha256:" + "AB" * 32)
    assert given == Image(url="https://x.example/i.qcow2", algorithm="sha256", digest="ab" * 32)


def test_a_url_that_is_none_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    given = cloud_images.parse("https://x.example:port/i.qcow2#sha256:" + "ab" * 32)
    assert given
    with pytest.raises(UserError, match="cannot be fetched"):
        cloud_images.make(given, "bookworm", "libvirt")
