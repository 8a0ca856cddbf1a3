"""The floor under vendoring: fetch the files of a lock concurrently and do nothing else.

Usage: python floor.py VENDOR_DIRECTORY CONNECTIONS. Reads the URLs from the locks and throws the content away.
"""

from __future__ import annotations

import ssl
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from pip._vendor import urllib3


def urls(vendor: Path, *, everything: bool) -> list[str]:
    """Return the URLs a vendor directory was fetched from: of its runtime sdists, or of everything."""
    found: dict[str, None] = {}
    for path in sorted(vendor.glob("pylock.*.toml")):
        data = tomllib.loads(path.read_text())
        more = data["tool"]["python-common"] if everything else {}
        for package in [*data["packages"], *more.get("build-packages", []), *more.get("crates", [])]:
            # A crate is its only file.
            for entry in [package, package.get("sdist"), package.get("archive"), *package.get("wheels", [])]:
                if entry and entry.get("url"):
                    found[entry["url"]] = None
    return list(found)


def fetch(pool: urllib3.PoolManager, url: str) -> int:
    """Return how many bytes a file has."""
    response = pool.request("GET", url, preload_content=False, timeout=60)
    if response.status != 200:
        raise SystemExit(f"{url}: {response.status}")
    size = sum(map(len, response.stream(1 << 16)))
    response.release_conn()
    return size


def main(vendor: str, connections: str, scope: str) -> None:
    """Fetch the files (`scope`: runtime or everything) and print how many bytes they were."""
    count = int(connections)
    pool = urllib3.PoolManager(maxsize=count, block=True, ssl_context=ssl.create_default_context())
    with ThreadPoolExecutor(count) as threads:
        sizes = list(threads.map(partial(fetch, pool), urls(Path(vendor), everything=scope == "everything")))
    print(f"{len(sizes)} files, {sum(sizes) / 1e6:.1f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
