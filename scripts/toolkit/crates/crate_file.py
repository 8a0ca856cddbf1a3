"""The archive of a crate: that it is the crate which its name says.

https://doc.rust-lang.org/cargo/reference/registry-web-api.html#download
"""

from __future__ import annotations

from pathlib import Path

from toolkit.archives import archive
from toolkit.core.errors import UserError
from toolkit.crates import cargo_manifest
from toolkit.model.lock import Crate

_HINT = "it is not what it says to be: find out where it came from before anything else"


def top(crate: Crate) -> str:
    """Return the one directory that the archive of a crate has at its top."""
    return f"{crate.name}-{crate.version}"


def check(path: Path, crate: Crate) -> None:
    """See that an archive can be unpacked, and is that of a crate. Raises `UserError`."""
    found = archive.survey(path, (cargo_manifest.FILE,))
    check_content(path, crate, found.top, found.named.get(cargo_manifest.FILE))


def check_content(path: Path, crate: Crate, directory: str, manifest: bytes | None) -> None:
    """See that an archive, by its top directory and the Cargo.toml there, is that of a crate. Raises `UserError`."""
    if directory != top(crate) or manifest is None:
        raise UserError(f"{path.name}: it holds something else than {top(crate)}/ with a Cargo.toml", _HINT)
    try:
        package = cargo_manifest.read(manifest, path.name).table("package")
        said = package.text("name"), package.text("version").strip()
    except ValueError as error:
        raise UserError(f"{path.name}: its Cargo.toml: {error}", _HINT) from None
    if said != (crate.name, crate.version):
        raise UserError(f"{path.name}: its Cargo.toml is that of {' '.join(said)}", _HINT)
