"""Say how uv has to ask the indexes that pip is configured with: `index_runner.py [INDEX_URL]`.

Prints variables as JSON. Run by its path in the tools environment, beside other work: pip's configuration takes a third
of a second to load.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from toolkit.core import console
from toolkit.network import index_settings


def main(index_url: str = "") -> None:
    """Print the variables of uv; credentials in the indexes' URLs are used for files of the same hosts."""
    found = index_settings.read(index_url)
    places = {"UV_DEFAULT_INDEX": found.url, "UV_INDEX": " ".join(found.extra)}
    print(json.dumps({**found.uv_environment(), **{name: value for name, value in places.items() if value}}))


if __name__ == "__main__":
    sys.exit(console.run_main(lambda: main(*sys.argv[1:])))
