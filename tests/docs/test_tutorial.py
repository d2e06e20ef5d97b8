"""Every command of the pages that can be followed works, and prints what the page shows."""

from __future__ import annotations

import glob
import os
from pathlib import Path

import pytest

from tests.docs.following import follow
from tests.support import REPOSITORY

HOW_TO = sorted(os.path.relpath(path, REPOSITORY) for path in glob.glob(os.path.join(REPOSITORY, "docs/how-to/*.md")))


@pytest.mark.timeout(400)  # some twenty commands, a process each
@pytest.mark.parametrize("page", ["docs/tutorial.md", "docs/testing.md", *HOW_TO])
def test_what_a_page_says_is_true(page: str, tmp_path: Path) -> None:
    follow(page, tmp_path)


@pytest.mark.spark
@pytest.mark.local_spark
@pytest.mark.torture  # every command starts a Spark of its own
@pytest.mark.parametrize("page", HOW_TO)
def test_what_a_page_says_is_true_on_spark(page: str, tmp_path: Path, spark: object) -> None:
    follow(page, tmp_path, "spark")
