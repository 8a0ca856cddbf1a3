"""Package indexes that the user names for one run: options and variables, which override pip's configuration."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from toolkit.core.errors import UserError
from toolkit.core.foreign_text import one_line
from toolkit.core.secrets import address, without_credentials
from toolkit.project.settings import default_of

#: Characters of a URL that are shown: a server can give one of any length.
_LONGEST = 300
#: Exported by make: every user of the machine can read a command line, but not the environment (proc(5)).
_INDEX_URL, _EXTRA_INDEX_URL = "INDEX_URL", "EXTRA_INDEX_URL"
#: Which of several indexes a distribution is taken from: the first that has it, or whichever has the newest version.
FIRST_INDEX, BEST_MATCH = "first-index", "best-match"


@dataclass(frozen=True, kw_only=True)
class IndexOptions:
    """Options with the meaning that pip gives them. `find_links` are URLs, or directories.

    `strategy` is `first-index` or `best-match`.
    """

    index_url: str = ""
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    strategy: str = FIRST_INDEX

    def environment(self) -> dict[str, str]:
        """Return the variables by which another process of the toolkit gets the URLs."""
        return {_INDEX_URL: self.index_url, _EXTRA_INDEX_URL: " ".join(self.extra_index_urls)}

    def hidden(self, words: list[str]) -> list[str]:
        """Return a command line without credentials: the program that it starts finds them in `environment`."""
        for url in (self.index_url, *self.extra_index_urls):
            words = [word.replace(url, without_credentials(url)) if url else word for word in words]
        return words


#: pip's configuration as it is.
DEFAULTS = IndexOptions()


def add_options(group: argparse._ActionsContainer, *short: str) -> None:
    """Add `--index-url`, with these short names too."""
    group.add_argument(
        *short,
        "--index-url",
        default="",
        metavar="URL",
        help=f"the index, instead of the one pip is configured with (default: ${_INDEX_URL})",
    )
    group.add_argument(
        "--index-strategy",
        type=_strategy,
        default=default_of("INDEX_STRATEGY"),
        help="the index that a distribution is taken from: first-index or best-match (default: %(default)s)",
    )


def _strategy(text: str) -> str:
    if text not in (FIRST_INDEX, BEST_MATCH):
        raise UserError(
            f"INDEX_STRATEGY={text}: no such strategy",
            f"write {FIRST_INDEX}, or {BEST_MATCH} where each index may replace what another has",
        )
    return text


def add_extra(group: argparse._ActionsContainer) -> None:
    """Add `--extra-index-url`."""
    group.add_argument(
        "--extra-index-url", default="", metavar="URLS", help=f"further indexes (default: ${_EXTRA_INDEX_URL})"
    )


def from_arguments(arguments: argparse.Namespace) -> IndexOptions:
    """Return the options of a command line, with the variables as their defaults."""
    return IndexOptions(
        index_url=" ".join(_urls(arguments.index_url, _INDEX_URL)),
        extra_index_urls=_urls(getattr(arguments, "extra_index_url", ""), _EXTRA_INDEX_URL),
        find_links=tuple(getattr(arguments, "find_links", ())),
        no_index=getattr(arguments, "no_index", False),
        strategy=getattr(arguments, "index_strategy", FIRST_INDEX),
    )


def shown(url: str) -> str:
    """Return a URL as it may be printed: without credentials, which may also stand in its query."""
    return one_line(address(url), _LONGEST)


def file_name(url: str) -> str:
    """Return the name of the file that a URL points to."""
    return unquote(urlsplit(url).path.rsplit("/", 1)[-1])


def _urls(given: str, variable: str) -> tuple[str, ...]:
    """Return the URLs that are given, else those of a variable, which also has the credentials of a given one."""
    exported = {without_credentials(url): url for url in os.environ.get(variable, "").split()}
    return tuple(exported.get(url, url) for url in given.split()) or tuple(exported.values())
