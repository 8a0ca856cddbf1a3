"""Fill the vendor/ of a fixture project as `make vendor` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.locks import lock_of
from toolkit.core import files
from toolkit.model.lock import Distribution, LocalPackage, Lock, VendoredFile
from toolkit.requirements import fingerprints, requirements
from toolkit.vendored import lock_file
from toolkit.vendoring import lock_writer

if TYPE_CHECKING:
    from tests.unit.conftest import Workspace


def vendored(workspace: Workspace, name: str, content: bytes = b"an archive", version: str = "1") -> Distribution:
    """Put an archive into vendor/ and return its entry of a lock."""
    path = workspace.root / "vendor" / f"{name}-{version}.tar.gz"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    file = VendoredFile(name=path.name, size=len(content), sha256=files.sha256(path))
    return Distribution(name=name, version=version, kind="sdist", files=(file,))


def write_lock(
    workspace: Workspace,
    directory: str,
    *distributions: Distribution,
    build: tuple[Distribution, ...] = (),
    pythons: tuple[str, ...] = ("3.11",),
) -> Lock:
    """Write the lock of a service as `make vendor` does."""
    project = workspace.discover()
    service = next(package for package in project.packages if package.path.name == directory)
    tree = requirements.read_tree(project, service, ("linux",))
    written = lock_of(
        *distributions,
        service=service.service_name,
        pythons=pythons,
        build_packages=build,
        local=tuple(LocalPackage(name=member.name, path=project.shown(member.path)) for member in tree.local),
        inputs=fingerprints.fingerprint(fingerprints.paths(project, service, tree.local, tree.files), workspace.root),
    )
    lock_writer.write(lock_file.path_of(workspace.root / "vendor", written.service), written)
    return written
