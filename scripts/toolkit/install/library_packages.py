"""Name the Debian packages of libraries: `library_packages.py RESULT`, run in a clean system by its interpreter.

The result is that of the load worker, which may hold anything; the names of a suite's packages come by the standard
input. Prints a JSON object: the package of each library that was looked for in vain. The standard library alone, as
this is started by its path.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable

#: `libfoo-1.2.so.3`, or without a version what `-lfoo` is for a linker.
_LIBRARY = re.compile(r"(?P<name>lib[A-Za-z0-9_.+-]{1,80})\.so(?P<version>[.0-9]{0,20})")
_LONGEST, _MOST = 64 << 20, 100
_NUMBERS = re.compile(r"[0-9]+")
#: `libusb-1.0-0` has the library libusb-1.0, which -lusb-1.0 finds, and is meant by `usb` as well.
_ANY_AFTER_NUMBER = r"-[0-9][0-9.]*(-[0-9][0-9.]*)?"
_ANY = rf"[0-9][0-9.]*|{_ANY_AFTER_NUMBER}"


def package(library: str, names: Iterable[str]) -> str:
    """Return the newest of these packages that has a library by its name; nothing where none has.

    https://www.debian.org/doc/debian-policy/ch-sharedlibs.html#run-time-shared-libraries
    """
    found = _LIBRARY.fullmatch(library)
    if not found:
        return ""
    name, number = found["name"].lower().replace("_", "-"), re.escape(found["version"].lstrip("."))
    is_numbered = name[-1:].isdigit()
    version_of_it = f"{'-' if is_numbered else ''}{number}" if number else _ANY_AFTER_NUMBER if is_numbered else _ANY
    # What has changed under one version has got an end: of one package, or of a whole release for the C++ library, and
    # for times with 64 bits.
    wanted = re.compile(rf"{re.escape(name)}({version_of_it})([a-z]|v5)?(t64)?")
    return max(filter(wanted.fullmatch, names), key=version, default="")


def version(package: str) -> list[int]:
    """Return the numbers in the name of a package, by which versions of one library sort."""
    return [int(number) for number in _NUMBERS.findall(package)]


def unversioned(package: str) -> str:
    """Return the name of a package up to its first number."""
    return _NUMBERS.split(package, maxsplit=1)[0].rstrip("-")


def main(result: str) -> None:
    """Print the packages of the libraries in a result."""
    with open(result, "rb") as stream:
        failures = json.loads(stream.read(_LONGEST))
    libraries = sorted({str(name) for failure in failures for name in failure["libraries"]})[:_MOST]
    names = sys.stdin.read().split()
    print(json.dumps({library: found for library in libraries if (found := package(library, names))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
