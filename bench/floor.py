"""The floor under vendoring: fetch the files of a lock concurrently and do nothing else.

Usage: python floor.py VENDOR_DIRECTORY CONNECTIONS. Reads the URLs from the locks and throws the content away.
"""

from __future__ import annotations

import sys
import tomllib
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def urls(vendor: Path, *, everything: bool) -> list[str]:
    """Return the URLs a vendor directory was fetched from: of its runtime sdists, or of everything."""
    found: dict[str, None] = {}
    for path in sorted(vendor.glob("pylock.*.toml")):
        data = tomllib.loads(path.read_text())
        build = data["tool"]["python-common"].get("build-packages", []) if everything else []
        for package in [*data["packages"], *build]:
            for entry in [package.get("sdist"), package.get("archive"), *package.get("wheels", [])]:
                if entry and entry.get("url"):
                    found[entry["url"]] = None
    return list(found)


def fetch(url: str) -> int:
    """Return how many bytes a file has."""
    size = 0
    with urllib.request.urlopen(url, timeout=60) as response:
        while block := response.read(1 << 16):
            size += len(block)
    return size


def main(vendor: str, connections: str, scope: str) -> None:
    """Fetch the files (`scope`: runtime or everything) and print how many bytes they were."""
    with ThreadPoolExecutor(int(connections)) as pool:
        sizes = list(pool.map(fetch, urls(Path(vendor), everything=scope == "everything")))
    print(f"{len(sizes)} files, {sum(sizes) / 1e6:.1f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
