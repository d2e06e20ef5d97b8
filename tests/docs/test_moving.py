"""The feeds of the pages about moving from other tools validate, and so do those of the tutorial and the README."""

from __future__ import annotations

import glob
import os

import pytest

from tests.documents import blocks, document
from tests.support import REPOSITORY, Project

PAGES = sorted(
    os.path.relpath(path, REPOSITORY) for path in glob.glob(os.path.join(REPOSITORY, "docs", "moving", "*.md"))
)


def test_there_is_a_page_for_each_tool() -> None:
    tools = {os.path.basename(page).removesuffix(".md") for page in PAGES}
    assert tools == {"auto-cdc", "auto-loader", "dlt", "dlt-meta", "floe"}


@pytest.mark.parametrize("page", [*PAGES, "README.md"])
def test_feeds_of_a_page_validate(page: str, project: Project) -> None:
    feeds = [text for language, text in blocks(document(page)) if language == "yaml" and "feed: " in text]
    assert feeds
    for text in feeds:
        name = text.partition("feed: ")[2].split()[0]
        project.feed(name, "\n".join(line.removeprefix("   ") if text[0] == " " else line for line in text.split("\n")))
    assert project.cli("validate").document["problems"] == []
