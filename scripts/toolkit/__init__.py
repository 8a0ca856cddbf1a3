"""What the verbs in scripts/ share, one job a module."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  -- before any module that an older interpreter cannot even load
    sys.exit(
        f"error: {sys.executable} is Python {sys.version.split()[0]}, and the toolkit needs 3.11 or later\n"
        " hint: name another interpreter: make PYTHON3=python3.11"
    )
