"""AppArmor on Ubuntu 24.04 and later, which bars user namespaces to programs without a profile that allows them.

https://discourse.ubuntu.com/t/ubuntu-24-04-lts-noble-numbat-release-notes/39890#unprivileged-user-namespace-restrictions
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from toolkit.core import files, process
from toolkit.sandbox import bubblewrap

_RESTRICTION = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_PROFILES = Path("/etc/apparmor.d")
_PARSER = "apparmor_parser"
#: An ordinary user may have no sbin.
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_NAME = "python-common-bwrap"
#: A profile for the program; others may have a rule that starts it.
_ATTACHED = re.compile(rf"^\s*(profile\s[^#\n]*)?{re.escape(bubblewrap.PROGRAM)}\b[^#\n]*\{{", re.MULTILINE)
_PROFILE = f"""\
# Written by `make setup` of python-common: what bubblewrap keeps foreign code in are user namespaces.
abi <abi/4.0>,
include <tunables/global>

profile {_NAME} {bubblewrap.PROGRAM} flags=(unconfined) {{
  userns,
  include if exists <local/{_NAME}>
}}
"""


def is_barring(restriction: Path = _RESTRICTION) -> bool:
    """Tell whether this kernel bars user namespaces to programs without a profile."""
    return restriction.exists() and restriction.read_text(encoding="ascii").strip() == "1"


def is_missing(restriction: Path = _RESTRICTION, profiles: Path = _PROFILES) -> bool:
    """Tell whether bubblewrap needs a profile on this system and has none.

    Not in a container without AppArmor's own programs: it sees its host's kernel, and nothing inside changes that.
    """
    if not is_barring(restriction) or not profiles.is_dir() or not shutil.which(_PARSER, path=_PATH):
        return False
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in profiles.iterdir() if path.is_file())
    return not any(_ATTACHED.search(text) for text in texts)


def commands(profiles: Path = _PROFILES) -> str:
    """Return what root has to run, as one line of a shell."""
    path = profiles / _NAME
    text = _PROFILE.replace("\n", "\\n")
    return f"printf '{text}' > {path} && {_PARSER} --replace {path}"


def install(profiles: Path = _PROFILES) -> None:
    """Write the profile and have the kernel take it, as root."""
    path = profiles / _NAME
    files.write_atomic(path, _PROFILE, 0o644)
    process.run([_PARSER, "--replace", path])
