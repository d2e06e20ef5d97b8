"""The site: pages as files in one folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC
from importlib import resources

from framework import __version__
from framework.errors import LandfeedError
from framework.pages.facts import Site
from framework.pages.feed_page import feed_page
from framework.pages.html import page
from framework.pages.overview import overview

__all__ = ["write_site"]

_ASSETS = ("style.css", "script.js")
_MARK = ".landfeed-pages"
"""What tells a folder of pages, in which pages of feeds that are gone are deleted."""


def write_site(site: Site, folder: str, refresh: int | None = None) -> int:
    """Write all pages; how many. Raises LandfeedError when the folder has other things in it or cannot be written."""
    mark = os.path.join(folder, _MARK)
    if os.path.isdir(folder) and os.listdir(folder) and not os.path.exists(mark):
        raise LandfeedError(
            f"{folder} has other files in it", "name an empty folder, or one that does not exist: --out"
        )
    written = set()
    try:
        for below in ("feeds", "assets"):
            os.makedirs(os.path.join(folder, below), exist_ok=True)
        _write(mark, "")
        for name, content in _pages(site, refresh):
            _write(os.path.join(folder, name), content)
            written.add(name)
        for name in os.listdir(os.path.join(folder, "feeds")):
            if name.endswith(".html") and f"feeds/{name}" not in written:
                os.unlink(os.path.join(folder, "feeds", name))
    except OSError as error:
        raise LandfeedError(f"{folder} cannot be written: {error.strerror}", "check permissions and space") from error
    return len(written) - len(_ASSETS)


def _pages(site: Site, refresh: int | None) -> Iterator[tuple[str, str]]:
    about = f"Landfeed {__version__}, environment {site.environment}, {site.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    for asset in _ASSETS:
        yield f"assets/{asset}", resources.files("framework").joinpath(f"pages/assets/{asset}").read_text("utf-8")
    yield "index.html", site.hide(page(f"Feeds of {site.environment}", overview(site), "", about, refresh))
    for facts in site.feeds:
        content = page(f"{facts.feed.name} – Landfeed", feed_page(facts, site), "../", about, refresh)  # noqa: RUF001
        yield f"feeds/{facts.feed.name}.html", site.hide(content)


def _write(path: str, content: str) -> None:
    with open(path, "w", encoding="utf-8", errors="backslashreplace") as out:
        out.write(content)
