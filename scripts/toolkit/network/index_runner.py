"""Variables with which uv uses the indexes that pip is configured with, or INDEX_URL, printed as JSON; or the error.

Run by its path in the tools environment, beside other work: pip's configuration takes a third of a second to load.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from toolkit.core import console
from toolkit.core.errors import UserError
from toolkit.network import index_options, index_settings


def main() -> None:
    """Print `{"variables": {...}}`, or `{"error": [what, hint]}`.

    uv uses credentials in the URLs of indexes for files of the same hosts too.
    """
    try:
        found = index_settings.read(index_options.from_arguments(Namespace(index_url="")))
        urls = {"UV_DEFAULT_INDEX": found.url, "UV_INDEX": " ".join(found.extra)}
        variables = {**found.uv_environment(), **{name: value for name, value in urls.items() if value}}
        print(json.dumps({"variables": variables}))
    except UserError as error:
        print(json.dumps({"error": [error.what, error.hint]}))


if __name__ == "__main__":
    sys.exit(console.run_main(main))
