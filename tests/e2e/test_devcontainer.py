"""The scaffold's devcontainer: its own commands, run where its tools run them, in a container without systemd.

A container engine is not to be had everywhere, and its image comes from a registry. A minimal Debian stands in for it,
with what that image has: curl, git, sudo, an ordinary user.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.e2e.machine import Root, run
from tests.e2e.test_fresh_machine import trust_what_we_trust

USER = "vscode"


def test_its_commands_make_the_container_a_stand(
    root: Root, example: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    root.run("apt-get", "--quiet", "update")
    root.run("apt-get", "--quiet", "--yes", "--no-install-recommends", "install", "curl", "git", "sudo")
    trust_what_we_trust(root)
    root.run("useradd", "--create-home", "--shell=/bin/bash", USER)
    (root.path / "etc/sudoers.d" / USER).write_text(f"{USER} ALL=(ALL) NOPASSWD: ALL\n")
    project, home = tmp_path / "project", root.path / "home" / USER
    shutil.copytree(example, project, symlinks=True)
    # Wheels that this machine has built are not built again.
    shutil.copytree(Path(environment["XDG_CACHE_HOME"], "python-common"), home / ".cache/python-common", symlinks=True)
    owner = run(["stat", "--format=%u:%g", home]).strip()
    run(["chown", "--recursive", "--no-dereference", owner, home, project])
    described = json.loads((project / ".devcontainer" / "devcontainer.json").read_text())
    script = " && ".join(
        [
            described["onCreateCommand"],
            described["postStartCommand"],
            "stand-services wait",
            "curl --silent --fail http://127.0.0.1:8080/",
            "tmux kill-server",
        ]
    )
    nspawn = ["systemd-nspawn", f"--directory={root.path}", "--register=no", "--keep-unit", "--quiet", "--pipe"]
    where = ["--resolv-conf=copy-host", f"--bind={project}:/vagrant", "--chdir=/vagrant", f"--user={USER}"]
    shown = run([*nspawn, *where, "--as-pid2", "sh", "-ec", script])
    assert '"service":"example-service"' in shown, shown
