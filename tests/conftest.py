"""What tests share."""

from __future__ import annotations

import os

import pytest

from tests.spark_session import spark
from tests.support import Project

__all__ = ["project", "spark"]


@pytest.fixture
def project(tmp_path: os.PathLike[str]) -> Project:
    """A project with the feed of the example."""
    return Project(os.fspath(tmp_path), "activity")
