"""The first command of the README, on a machine that has git, make and python3, and nothing else."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from tests.e2e.machine import TOOLKIT, Root, run


def trust_what_we_trust(root: Root) -> None:
    """Let a machine trust the package index that this one does: a company's may have an authority of its own."""
    bundle = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    assert bundle
    root.run("apt-get", "--quiet", "--yes", "--no-install-recommends", "install", "ca-certificates")
    (root.path / "etc/ssl/certs/ca-certificates.crt").write_bytes(Path(bundle).read_bytes())


def test_make_example_installs_what_is_missing_and_builds_a_package(root: Root) -> None:
    root.run("apt-get", "--quiet", "update")
    root.run("apt-get", "--quiet", "--yes", "--no-install-recommends", "install", "git", "make", "python3")
    trust_what_we_trust(root)
    run(["git", "clone", "--quiet", "--no-hardlinks", TOOLKIT, root.path / "root/toolkit"])
    shown = root.run("make", "-C", "/root/toolkit", "example")
    assert "this machine lacks:" in shown
    [package] = (root.path / "root/toolkit/build/example/dist").glob("yc-example-service_*.deb")
    assert f"sudo apt-get install ./build/example/dist/{package.name}" in shown
    assert "python3" in run(["dpkg-deb", "--field", package, "Depends"])
