"""A stand that is the machine itself: a container or a virtual machine that something else has made for the project.

A devcontainer provisions itself so. The project has to be where it is in every stand: no laptop has it there.
"""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from pathlib import Path

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.project.settings import Settings
from toolkit.stand import base, provisioning
from toolkit.stand.ansible_variables import GUEST_PROJECT
from toolkit.stand.base import Access, StandOptions

_SYSTEMD = Path("/run/systemd/system")  # sd_booted(3)


@dataclass(frozen=True, kw_only=True)
class LocalStand:
    """This machine as a stand."""

    settings: Settings
    options: StandOptions

    def up(self) -> tuple[str, ...]:
        """Provision it; return the tasks that changed something."""
        base.require_toolkit_inside(self.settings)
        access = self.access()
        if self.options.mode == "deb" and not _SYSTEMD.is_dir():
            raise UserError("STAND_MODE=deb: no systemd runs here, which starts units", "take STAND_MODE=tmux")
        return provisioning.run(access, self.settings, self.options)

    def access(self) -> Access:
        """Return the access to it. Raises `UserError` where the project is elsewhere than in a stand."""
        if self.settings.project != Path(GUEST_PROJECT):
            raise UserError(
                f"STAND=local makes this machine the stand, and {self.settings.project} is not {GUEST_PROJECT}",
                f"it is for a container or a virtual machine that has the project at {GUEST_PROJECT}; "
                "`make stand` makes a machine of its own",
            )
        return Access(host="localhost", user=getpass.getuser(), is_local=True)

    def destroy(self) -> None:
        """Leave the machine as it is: something else has made it."""
        console.note("this machine is left as it is; `stand-services` has what the stand has brought")
