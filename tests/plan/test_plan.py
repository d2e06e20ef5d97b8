"""Which files make a batch: a plan is data, made from facts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from framework.feed import Feed
from framework.law.discovery import Listing
from framework.loader import load_project
from framework.names import File
from framework.plan.compile import compile_plan
from framework.plan.observe import Facts
from framework.steps import Stage
from tests.support import Project

GIB = 1 << 30


def batch(feed: Feed, sizes: Sequence[int]) -> list[int]:
    """The sizes of the files in the next batch, when files of these sizes are pending."""
    files = tuple(File(f"{feed.source.path}{n}", str(n), n, size, n) for n, size in enumerate(sizes))
    plan = compile_plan(feed, Facts(Listing(files), None, 0, None, None))
    return [file.size for step in plan.steps if isinstance(step, Stage) for file in step.batch.files]


@pytest.fixture
def feed(project: Project) -> Feed:
    return load_project(project.path("pipelines_config"), "local", environ={}).feeds[0]


def in_a_bucket(feed: Feed, most: int | None = None) -> Feed:
    return replace(feed, source=replace(feed.source, path="gs://bucket/landing/", max_files_per_batch=most))


def test_local_files_are_taken_together(feed: Feed) -> None:
    assert batch(feed, [6 * GIB] * 5) == [6 * GIB] * 5
    assert batch(replace(feed, source=replace(feed.source, max_files_per_batch=2)), [1] * 5) == [1, 1]


def test_files_in_a_bucket_are_downloaded_ten_gibibytes_at_a_time(feed: Feed) -> None:
    assert batch(in_a_bucket(feed), [4 * GIB, 6 * GIB, 1]) == [4 * GIB, 6 * GIB]
    assert batch(in_a_bucket(feed), [11 * GIB, 1]) == [11 * GIB]
    assert batch(in_a_bucket(feed, 1), [1, 1]) == [1]
    assert batch(in_a_bucket(feed), []) == []
