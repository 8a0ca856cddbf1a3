"""Hostile and broken answers of an index, and a bad network: vendor/ is right, or as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from tests.torture.distributions import sdist, tree
from tests.torture.shelf import JSON, Answer, Shelf

FILE = "bad-1.0.tar.gz"
PAGE = "/simple/bad/"
MB = 1 << 20
Change = Callable[[Shelf], None]
GOOD = sdist("bad")
EVIL = sdist("bad", files=tree("bad", modules={"bad": "EVIL = True\n"}))
HTML = "text/html; charset=utf-8"


def _page(body: bytes | str, kind: str = JSON) -> Change:
    data = body.encode() if isinstance(body, str) else body
    return lambda shelf: shelf.says(PAGE, Answer(data, kind=kind))


def _entry(**entry: object) -> Change:
    """Let the entry of the good file have other values (None: none)."""
    return lambda shelf: shelf.add(FILE, GOOD, entry=entry)


def _file(*answers: Answer) -> Change:
    return lambda shelf: shelf.says(f"/files/{FILE}", *answers)


def _whole(**changes: object) -> Change:
    return lambda shelf: shelf.says(PAGE, Answer(shelf.page("bad", **changes), kind=JSON))


def _link(href: str) -> str:
    return f'<!DOCTYPE html><html><body><a href="{href}">{FILE}</a></body></html>'


def _elsewhere(shelf: Shelf) -> None:
    """Have the file sent from where it is another one."""
    shelf.add("other-1.0.tar.gz", EVIL)
    shelf.says(f"/files/{FILE}", Answer(status=302, headers={"Location": "/files/other-1.0.tar.gz"}))


def _second_file(shelf: Shelf) -> None:
    shelf.add("bad-1.0.zip", b"garbage", project="bad")


def _newer_than_known(shelf: Shelf) -> None:
    shelf.add("bad-999.0-py3-none-any.whl", b"garbage", project="bad")


#: What an index may say, and what has to come of it: nothing, or an error.
ANSWERS: Mapping[str, Change] = {
    "no JSON": _page('{"files": 5, ]'),
    "JSON that is a list": _page("[]"),
    "JSON that is a number": _page("5"),
    "files that are a number": _whole(files=5),
    "files that are numbers": _whole(files=[1, 2]),
    "files that are null": _whole(files=None),
    "JSON that is deep": _page("[" * 100_000),
    "JSON with a huge number": _page('{"files": [{"filename": "bad-1.0.tar.gz", "size": 1' + "0" * 5000 + "}]}"),
    "another name": _whole(name="victim", files=[]),
    "a version of the interface to come": _whole(meta={"api-version": "9.0"}),
    "meta that is a list": _whole(meta=[]),
    "binary": _page(bytes(range(256)) * 100),
    "an empty page": _page(b""),
    "200 MB of nothing": _page(b" " * (200 * MB)),
    "a login page": _page("<html><body><form action='/login'>Sign in</form></body></html>", HTML),
    "HTML without links": _page("<!DOCTYPE html><html></html>", HTML),
    "a link to a local file": _page(_link("file:///etc/passwd#sha256=" + "0" * 64), HTML),
    "a link by another scheme": _page(_link("javascript:alert(1)"), HTML),
    "a link with no host": _page(_link("http://"), HTML),
    "a link with a bad port": _page(_link("http://127.0.0.1:99999999/x"), HTML),
    "a page of another kind": _page("x", "image/png"),
    "a file name that leads out": lambda shelf: shelf.add("../../bad-1.0.tar.gz", GOOD, project="bad"),
    "a file name with a newline": _entry(filename="bad-1.0\nerror: x.tar.gz"),
    "a file name with ESC": _entry(filename="bad-1.0\x1b[2J.tar.gz"),
    "a file name that is a number": _entry(filename=7),
    "an address that is a number": _entry(url=7),
    "an address that is missing": _entry(url=None),
    "an address of a local file": _entry(url="file:///etc/passwd"),
    "an address of a local file, without a hash": _entry(url="file:///etc/passwd", hashes={}),
    "an address with a newline": _entry(url="/files/x\r\nX: y"),
    "hashes that are a list": _entry(hashes=["sha256"]),
    "a hash that is no hash": _entry(hashes={"sha256": "zz"}),
    "a hash that is a path": _entry(hashes={"sha256": "../../../../tmp/x"}),
    "a hash that is a number": _entry(hashes={"sha256": 5}),
    "a wrong hash": _entry(hashes={"sha256": "0" * 64}),
    "only a weak hash": _entry(hashes={"md5": hashlib.md5(EVIL).hexdigest()}),
    "no hash, other bytes": lambda shelf: (_entry(hashes={})(shelf), _file(Answer(b"garbage"))(shelf))[0],
    "a size that is a lie": _entry(size=3),
    "a size that is text": _entry(size="big"),
    "requires-python that is nonsense": _entry(**{"requires-python": "!!"}),
    "requires-python that is a number": _entry(**{"requires-python": 5}),
    "a time that is none": _entry(**{"upload-time": "yesterday"}),
    "a time that is a number": _entry(**{"upload-time": 5}),
    "yanked that is a number": _entry(yanked=[5]),
    "yanked with ESC": _entry(yanked="\x1b[2J"),
    "core-metadata that is a lie": lambda shelf: shelf.add(
        "bad-2.0-py3-none-any.whl", b"garbage", "bad", {"core-metadata": {"sha256": "0" * 64}}
    ),
    "core-metadata that is a list": _entry(**{"core-metadata": []}),
    "a second file that is garbage": _second_file,
    "a newer wheel that is garbage": _newer_than_known,
}

#: What a network may do to a file or a page; with `False`, the run has to end well, as it is over after a moment.
FAULTS: Mapping[str, Change] = {
    "reset, for ever": _file(Answer(status=0)),
    "reset, then fine": _file(Answer(status=0), Answer(GOOD)),
    "half of a file": _file(Answer(GOOD[: len(GOOD) // 2], length=len(GOOD))),
    "half of a file, then fine": _file(Answer(GOOD[: len(GOOD) // 2], length=len(GOOD)), Answer(GOOD)),
    "half of a file, called whole": _file(Answer(GOOD[: len(GOOD) // 2])),
    "half of a page": lambda shelf: shelf.says(PAGE, Answer(shelf.page("bad")[:50], kind=JSON, length=400)),
    "a longer file": _file(Answer(GOOD + b"more" * 1000)),
    "an endless file": _file(Answer(bytes(64 * MB))),
    "other bytes": _file(Answer(GOOD[:-9] + bytes([GOOD[-9] ^ 255]) + GOOD[-8:])),
    "another file": _file(Answer(EVIL)),
    "a slow file": _file(Answer(GOOD, pause=0.3)),
    "500, 500, then fine": _file(Answer(status=500), Answer(status=500), Answer(GOOD)),
    "503 for ever": _file(Answer(status=503)),
    "429 with a date": _file(
        Answer(status=429, headers={"Retry-After": "Thu, 01 Jan 2026 00:00:00 GMT"}), Answer(GOOD)
    ),
    "429, then fine": _file(Answer(status=429, headers={"Retry-After": "1"}), Answer(GOOD)),
    "429 for a year": _file(Answer(status=429, headers={"Retry-After": "31536000"})),
    "404": _file(Answer(status=404)),
    "403": _file(Answer(status=403)),
    "a page's 500, then fine": lambda shelf: shelf.says(
        PAGE, Answer(status=500), Answer(status=502), Answer(shelf.page("bad"), kind=JSON)
    ),
    "a page's 401": lambda shelf: shelf.says(PAGE, Answer(status=401, headers={"WWW-Authenticate": "Basic"})),
    "a circle of redirections": _file(Answer(status=302, headers={"Location": f"/files/{FILE}"})),
    "a redirection to another file": _elsewhere,
    "a redirection to a local file": _file(Answer(status=302, headers={"Location": "file:///etc/passwd"})),
    "a redirection to nowhere": _file(Answer(status=302, headers={"Location": "http://127.0.0.1:1/x"})),
    "a redirection without a target": _file(Answer(status=302)),
    "a login page instead of a file": _file(Answer(b"<html>Sign in</html>", kind=HTML)),
    "an empty file": _file(Answer(b"")),
    "a content encoding that is a lie": _file(Answer(GOOD, headers={"Content-Encoding": "gzip"})),
    "a wrong content length": _file(Answer(GOOD, length=len(GOOD) - 10)),
}
#: These are over after a moment, so a run has to end well in spite of them.
PASSING = (
    "reset, then fine",
    "half of a file, then fine",
    "a slow file",
    "500, 500, then fine",
    "429 with a date",
    "429, then fine",
    "a page's 500, then fine",
)
#: What has to be called by its name: a pattern of what is said of it.
CALLED: Mapping[str, str] = {
    "a login page": "not an index",
    "a wrong hash": "sha256|hash",
    "only a weak hash": "md5",
    "other bytes": "sha256|hash",
    "another file": "sha256|hash",
    "a longer file": "sha256|hash|larger|longer",
    "a redirection to another file": "sha256|hash",
    "a login page instead of a file": "sha256|hash",
    "reset, for ever": "reset|closed|connection|Connection",
    "half of a file": "early|cut|short|broke|incomplete|connection|Connection|ended",
    "a circle of redirections": "redirect",
    "a redirection to a local file": "redirects",
    "an address of a local file": "attack",
    "an address of a local file, without a hash": "attack",
    "404": "404",
    "403": "403",
    "503 for ever": "503",
    "a page's 401": "401|credentials|password",
}
