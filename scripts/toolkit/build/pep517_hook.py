"""Call one PEP 517 hook, inside the build environment's own interpreter.

Usage: python pep517_hook.py REQUEST.json. Runs under any interpreter a project builds for and imports nothing but the
standard library before the backend. The request: {"source": directory of the unpacked sdist, "backend":
"module:object", "backend_path": [...], "hook": "build_wheel", "arguments": [...], "result_path": file}. The result is
written there as JSON: {"return": value}, or {"missing": true} where the backend has no such hook (an optional one).
"""

import json
import os
import sys
from importlib import import_module
from typing import Any


def load_backend(source: str, backend: str, backend_path: list[str]) -> Any:
    """Import a backend as PEP 517 says: from `backend_path` (relative to the source, and inside it) first."""
    for entry in reversed(backend_path):
        path = os.path.normpath(os.path.join(source, entry))
        if os.path.commonpath([path, source]) != os.path.normpath(source):
            raise SystemExit(f"backend-path {entry!r} leaves the source tree")
        sys.path.insert(0, path)
    module, _, attributes = backend.partition(":")
    result = import_module(module)
    for attribute in filter(None, attributes.split(".")):
        result = getattr(result, attribute)
    return result


def main(request_path: str) -> None:
    """Carry out the request in the file."""
    with open(request_path, encoding="utf-8") as stream:
        request = json.load(stream)
    # The modes of files in the wheel follow the mask; it must not be the caller's.
    os.umask(0o022)
    os.chdir(request["source"])
    # The script's own directory holds modules that must not hide the backend's.
    sys.path[:] = [entry for entry in sys.path if entry != os.path.dirname(os.path.abspath(__file__))]
    try:
        backend = load_backend(request["source"], request["backend"], request["backend_path"])
        hook = getattr(backend, request["hook"], None)
        result = {"missing": True} if hook is None else {"return": hook(*request["arguments"])}
    except SystemExit as error:
        if error.code:
            raise
        # A setup.py that ends as if all were well would leave no trace.
        raise RuntimeError("it ended the interpreter before it had an answer") from error
    with open(request["result_path"], "w", encoding="utf-8") as stream:
        json.dump(result, stream)


def show(kind: Any, error: BaseException, trace: Any) -> None:
    """Print an exception as Python does, without the frames of this script: its reader looks for those of a package."""
    while (
        trace and trace.tb_next and trace.tb_frame.f_code.co_filename in (__file__, import_module.__code__.co_filename)
    ):
        trace = trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


if __name__ == "__main__":
    sys.excepthook = show
    main(sys.argv[1])
