"""Compile files and print what is wrong with them. Run by a service's interpreter, so standard library only.

Arguments: the files. Only standard output is written to; the status is 1 when a file has a fault.
"""

from __future__ import annotations

import sys
import warnings


def fault(path: str) -> str:
    """Return `path:line: what is wrong`; empty where nothing is."""
    try:
        with open(path, "rb") as stream:
            compile(stream.read(), path, "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"{path}:{error.lineno or 1}: {error.msg}"
    except ValueError as error:  # a null byte
        return f"{path}:1: {error}"
    return ""


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    faults = list(filter(None, map(fault, sys.argv[1:])))
    print("\n".join(faults))
    sys.exit(bool(faults))
