"""Feeds that are wrong in one way each: `golden/*.yml` hold the feed and, behind `#!`, what is said of it."""

from __future__ import annotations

import glob
import os

import pytest

from framework.loader import check_project
from tests.support import REPOSITORY, Project

GOLDEN = sorted(glob.glob(os.path.join(REPOSITORY, "tests", "loader", "golden", "*.yml")))


def said(project: Project) -> list[str]:
    """The problems of the project's feed, as the golden files write them."""
    lines = []
    _, problems = check_project(project.path("pipelines_config"), "local", environ={})
    for problem in problems:
        assert problem.file == "feeds/orders.yml"
        lines.append(f"#! {problem.line}:{problem.column} {problem.path or '-'}: {problem.message}")
        if problem.hint:
            lines.append(f"#!     {problem.hint}")
    return lines


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: os.path.basename(file)[:-4])
def test_a_wrong_feed(file: str, project: Project) -> None:
    os.remove(project.path("pipelines_config", "feeds", "activity.yml"))
    with open(file, encoding="utf-8") as stream:
        text = stream.read()
    project.feed("orders", text)
    expected = [line for line in text.splitlines() if line.startswith("#!")]
    assert expected
    assert said(project) == expected


def test_there_are_many() -> None:
    assert len(GOLDEN) >= 80
