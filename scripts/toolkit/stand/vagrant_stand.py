"""A stand in a virtual machine: made by Vagrant from the project's Vagrantfile, and entered as any other."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

from toolkit.core import files, process
from toolkit.core.errors import UserError
from toolkit.project.settings import Settings
from toolkit.stand import provisioning
from toolkit.stand.base import Access, StandOptions


@dataclass(frozen=True, kw_only=True)
class Vagrant:
    """The virtual machine of a project."""

    settings: Settings
    options: StandOptions

    def up(self) -> tuple[str, ...]:
        """Make it where there is none, start it and provision it; return the tasks that changed something."""
        self._require()
        chosen = {"STAND_MODE": self.options.mode, "STAND_SUITE": self.options.suite}
        environment = {**os.environ, **{name: value for name, value in chosen.items() if value}}
        return provisioning.execute(["vagrant", "up", "--provision"], environment, "vagrant", self.settings)

    def access(self) -> Access:
        """Return the way into it. Raises `UserError` when it does not run."""
        config = self.settings.project / ".vagrant" / "ssh_config"
        try:
            text = process.read(["vagrant", "ssh-config", "--host", "stand"], cwd=self.settings.project)
        except process.CommandError as error:
            raise UserError(
                "the machine of this project does not run", "`make stand STAND=vagrant` starts it", error.output
            ) from None
        files.write_atomic(config, text)
        return Access(host="stand", user="vagrant", config=config)

    def destroy(self) -> None:
        """End it, and remove all that belongs to it."""
        self._require()
        process.run(["vagrant", "destroy", "--force"], cwd=self.settings.project, stream=True)

    def _require(self) -> None:
        if not shutil.which("vagrant"):
            raise UserError("vagrant: no such program", "install Vagrant, or take STAND=container")
        if not (self.settings.project / "Vagrantfile").is_file():
            raise UserError(
                f"{self.settings.project}/Vagrantfile: there is none", "`ln -s common/stand/Vagrantfile` makes it"
            )
