"""A stand in a virtual machine of Lima, on macOS and Linux, made of the image that a distribution publishes.

https://lima-vm.io
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.core import console, files, process
from toolkit.core.errors import UserError
from toolkit.project.settings import Settings
from toolkit.stand import base, boxes, cloud_images, provisioning, vagrant
from toolkit.stand.ansible_variables import GUEST_PROJECT
from toolkit.stand.base import Access, StandOptions
from toolkit.stand.vagrant import VagrantSettings

#: As Lima calls Debian's architectures.
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, kw_only=True)
class LimaStand:
    """The virtual machine of a project."""

    settings: Settings
    options: StandOptions

    @property
    def name(self) -> str:
        """Return its name."""
        return base.name_of(self.settings, self.options)

    def up(self) -> tuple[str, ...]:
        """Make it where there is none, start it and provision it; return the tasks that changed something."""
        base.require_toolkit_inside(self.settings)
        if self._exists():
            process.run(["limactl", "start", "--tty=false", self.name], stream=True)
        else:
            description = self.settings.build / "stand" / "lima.yaml"
            description.parent.mkdir(parents=True, exist_ok=True)
            # YAML has JSON in it, https://yaml.org/spec/1.2.2/#12-yaml-history
            files.write_atomic(description, json.dumps(self._describe(), indent=2))
            console.step("STAND", f"{self.name}: a machine of Lima, by {description}")
            process.run(["limactl", "start", "--tty=false", f"--name={self.name}", description], stream=True)
        return provisioning.run(self.access(), self.settings, self.options)

    def access(self) -> Access:
        """Return the access to it. Raises `UserError` when it does not run."""
        if not self._exists():
            raise UserError("the stand of this project does not exist", "`make stand STAND=lima` makes and starts it")
        config = process.read(["limactl", "list", "--format={{.SSHConfigFile}}", self.name]).strip()
        access = Access(host=f"lima-{self.name}", user="", config=Path(config))
        try:
            # Lima's users are called as on the host, unless Linux does not allow that.
            return Access(host=access.host, user=access.read("whoami").strip(), config=access.config)
        except process.CommandError as error:
            raise UserError(
                "the machine of this project does not run", "`make stand STAND=lima` starts it", error.output
            ) from None

    def destroy(self) -> None:
        """End it, and remove all that belongs to it; one that is not there is no error."""
        if self._exists():
            process.run(["limactl", "delete", "--force", self.name], stream=True)

    def _exists(self) -> bool:
        if not shutil.which("limactl"):
            hint = "https://lima-vm.io/docs/installation says how to install Lima (macOS: brew install lima)"
            raise UserError(
                "limactl: no such program", f"{hint}; or take another stand: STAND=container, STAND=vagrant"
            )
        return self.name in process.read(["limactl", "list", "--quiet"]).split()

    def _describe(self) -> dict[str, Any]:
        suite = {"STAND_SUITE": self.options.suite} if self.options.suite else {}
        return describe(vagrant.read({**os.environ, **suite}), self.settings.project)


def describe(chosen: VagrantSettings, project: Path) -> dict[str, Any]:
    """Return the description of a machine, as https://lima-vm.io/docs/reference/yaml has it. Raises `UserError`."""
    given = cloud_images.parse(chosen.box)
    if chosen.box and not given:
        raise UserError(
            f"STAND_BOX={chosen.box}: Lima takes images, and no boxes",
            "name an image: STAND_BOX=https://…/image.qcow2#sha512:HASH; or leave STAND_BOX out",
        )
    found = {
        arch: given or cloud_images.of_architecture(chosen.suite, debian) for debian, arch in _ARCHITECTURES.items()
    }
    if not any(found.values()):
        raise UserError(
            f"STAND_SUITE={chosen.suite}: no image of such a suite is known, and Lima takes no boxes",
            f"there are {', '.join(cloud_images.suites())}; or STAND_BOX=https://…/image.qcow2#sha512:HASH",
        )
    return {
        "minimumLimaVersion": "1.0.0",
        "images": [
            {"location": image.url, "arch": arch, "digest": f"{image.algorithm}:{image.digest}"}
            for arch, image in found.items()
            if image
        ],
        "cpus": chosen.cpus,
        "memory": f"{chosen.memory}MiB",
        "disk": f"{boxes.DISK_SIZE}GiB",
        "mounts": [{"location": str(project), "mountPoint": GUEST_PROJECT, "writable": True}],
        "ssh": {"forwardAgent": True},
        "containerd": {"system": False, "user": False},
        "nestedVirtualization": chosen.nested,
        # Lima forwards every port that something listens on, each to the same one: these are the others.
        "portForwards": [{"guestPort": guest, "hostPort": host} for guest, host in chosen.ports],
    }
