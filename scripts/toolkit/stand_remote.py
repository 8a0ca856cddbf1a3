"""A stand on any machine that lets in by ssh: the project is copied there, for it cannot be mounted."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit import process, provisioning, ui
from toolkit import stand as stands
from toolkit.settings import Settings
from toolkit.stand import Access, Options
from toolkit.stand_variables import PLACE

_PREPARE = f"""\
command -v rsync >/dev/null || sudo -n apt-get -qq --yes install rsync
test -w {PLACE} || sudo -n install --directory --owner "$(id --user)" --group "$(id --group)" {PLACE}
"""


@dataclass(frozen=True, kw_only=True)
class Remote:
    """The stand on a host."""

    settings: Settings
    options: Options

    def up(self) -> tuple[str, ...]:
        """Copy the project there and provision the host; return the tasks that changed something."""
        stands.require_toolkit_inside(self.settings)
        access = self.access()
        ui.step("STAND", f"{access.host}: the project is copied to {PLACE}")
        self._copy(access)
        return provisioning.run(access, self.settings, self.options)

    def access(self) -> Access:
        """Return the way into it. Raises `UserError` where there is no host, or it does not let in."""
        host = self.options.host
        if not host or host.startswith("-"):
            raise ui.UserError("STAND=remote: on which host?", "name it: STAND=remote HOST=user@host.example")
        access = Access(host=host, user="")
        try:
            return Access(host=host, user=access.read("whoami").strip())
        except process.CommandFailed as error:
            raise ui.UserError(f"HOST={host}: not reached by ssh",
                               f"`ssh {host}` has to work without a password", error.output) from None

    def destroy(self) -> None:
        """Leave the host as it is: it was there before."""
        ui.note(f"{self.options.host}: left as it is; what the stand has brought is in {PLACE} and in `stand-services`")

    def _copy(self, access: Access) -> None:
        try:
            access.read("sh", "-ec", _PREPARE)
        except process.CommandFailed as error:
            raise ui.UserError(f"{access.host}: {access.user} cannot prepare it for a stand",
                               "sudo has to work there without a password", error.output) from None
        shell = " ".join(["ssh", "-o", "BatchMode=yes", *access.options])
        process.run(["rsync", "--archive", "--delete", "--rsh", shell, "--exclude=/build/", "--exclude=.git",
                     "--exclude=__pycache__", f"{self.settings.project}/", f"{access.host}:{PLACE}/"])
