"""The licences of what a package carries."""

import gzip
import io
import tarfile
from pathlib import Path

from toolkit.install import licences


def crate(path: Path, **files: str) -> Path:
    with tarfile.open(path, "w:gz") as made:
        for name, text in files.items():
            member = tarfile.TarInfo(f"{path.stem}/{name.replace('__', '.')}")
            member.size = len(text)
            made.addfile(member, io.BytesIO(text.encode()))
    return path


def test_crates_are_told_with_their_licences(tmp_path: Path) -> None:
    stated = 'license = "MIT OR Apache-2.0"\nauthors = ["Ann", "Ben"]\n'
    known = crate(
        tmp_path / "known-1.0.0.crate",
        Cargo__toml=f"[package]\n{stated}",
        **{"LICENSE-MIT": "Do as you like.\n\nReally.\n", "README": "no licence"},
    )
    silent = crate(tmp_path / "silent-1.0.0.crate", Cargo__toml="[package]\nlicense = 5\n")
    licences.write(tmp_path / "text.gz", "app", Path("/usr/lib/yc/app"), [], [known, silent])
    text = gzip.decompress((tmp_path / "text.gz").read_bytes()).decode()
    paragraphs = text.split("\n\nFiles: ")
    assert paragraphs[1] == (
        "known-1.0.0.crate\nComment: a Rust crate\nCopyright: Ann\n           Ben\nLicense: MIT OR Apache-2.0\n"
        " --- LICENSE-MIT ---\n Do as you like.\n .\n Really."
    )
    assert "Copyright: not stated\nLicense: not stated" in paragraphs[2]
