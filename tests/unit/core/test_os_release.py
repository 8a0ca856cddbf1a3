"""What os-release(5) says, of this machine and of another."""

from __future__ import annotations

from toolkit.core import os_release


def test_values_are_quoted_as_for_a_shell() -> None:
    text = """# a comment
NAME="Debian GNU/Linux"
ID=debian
PRETTY_NAME='It'"'"'s \\$1'
VERSION_ID="12"

"""
    assert os_release.parse(text) == {
        "NAME": "Debian GNU/Linux",
        "ID": "debian",
        "PRETTY_NAME": "It's \\$1",
        "VERSION_ID": "12",
    }
