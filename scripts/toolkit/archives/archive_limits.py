"""How much may come out of an archive: limits that no real archive reaches, and bombs reach soon."""

from __future__ import annotations

_MAX_MEMBERS = 100_000
#: A small archive may have so many members, whatever its size; of a larger one each has to take some bytes.
_ALWAYS_MEMBERS = 20_000
_LEAST_BYTES = 64
#: Of a part of a name, and of a whole one: what file systems take (NAME_MAX, and PATH_MAX of the smallest system).
LONGEST_PART, LONGEST_NAME = 255, 1024
#: Of a part of a name as it is installed: what replaces a file writes one beside it, dpkg that of `NAME.dpkg-new`.
LONGEST_INSTALLED = 240
#: Of an archive or a wheel: a name of 1024 bytes may be one of 500 directories.
DIRECTORIES = _MAX_MEMBERS
_MAX_UNPACKED = 4 << 30
#: A small archive may unpack to this much, whatever the ratio.
_ALWAYS_ALLOWED = 256 << 20
_MAX_RATIO = 200


class UnreadableError(Exception):
    """An archive that is damaged, or that holds what none needs; the message begins with the member."""


def unpacked(size: int) -> int:
    """Return how many bytes may come out of an archive of so many bytes."""
    return min(_MAX_UNPACKED, max(_ALWAYS_ALLOWED, _MAX_RATIO * size))


def members(size: int) -> int:
    """Return how many members an archive of so many bytes may have."""
    return min(_MAX_MEMBERS, max(_ALWAYS_MEMBERS, size // _LEAST_BYTES))
