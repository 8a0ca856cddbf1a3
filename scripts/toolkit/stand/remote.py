"""A stand on any machine that ssh reaches: the project is copied there, as it cannot be mounted."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.core import console, process
from toolkit.core.errors import UserError
from toolkit.project.settings import Settings
from toolkit.stand import base, provisioning
from toolkit.stand.ansible_variables import GUEST_PROJECT
from toolkit.stand.base import Access, StandOptions

_PREPARE = f"""\
command -v rsync >/dev/null || sudo -n apt-get -qq --yes install rsync
test -w {GUEST_PROJECT} || sudo -n install --directory --owner "$(id --user)" --group "$(id --group)" {GUEST_PROJECT}
"""


@dataclass(frozen=True, kw_only=True)
class RemoteStand:
    """The stand on a host."""

    settings: Settings
    options: StandOptions

    def up(self) -> tuple[str, ...]:
        """Copy the project there and provision the host; return the tasks that changed something."""
        base.require_toolkit_inside(self.settings)
        access = self.access()
        console.step("STAND", f"{access.host}: the project is copied to {GUEST_PROJECT}")
        self._copy(access)
        return provisioning.run(access, self.settings, self.options)

    def access(self) -> Access:
        """Return the access to it. Raises `UserError` where no host is named, or ssh does not reach it."""
        host = self.options.host
        if not host or host.startswith("-"):
            raise UserError("STAND=remote: on which host?", "name it: STAND=remote HOST=user@host.example")
        access = Access(host=host, user="")
        try:
            return Access(host=host, user=access.read("whoami").strip())
        except process.CommandError as error:
            raise UserError(
                f"HOST={host}: cannot be reached by ssh", f"`ssh {host}` has to work without a password", error.output
            ) from None

    def destroy(self) -> None:
        """Leave the host as it is: it was there before."""
        left = f"what the stand has brought is in {GUEST_PROJECT} and in `stand-services`"
        console.note(f"{self.options.host}: left as it is; {left}")

    def _copy(self, access: Access) -> None:
        try:
            access.read("sh", "-ec", _PREPARE)
        except process.CommandError as error:
            raise UserError(
                f"{access.host}: {access.user} cannot prepare it for a stand",
                "sudo has to work there without a password",
                error.output,
            ) from None
        left_out = ("--exclude=/build/", "--exclude=.git", "--exclude=__pycache__")
        source, target = f"{self.settings.project}/", f"{access.host}:{GUEST_PROJECT}/"
        process.run(["rsync", "--archive", "--delete", "--rsh", "ssh -o BatchMode=yes", *left_out, source, target])
