"""Folders in their several spellings: a table, so that each of them is seen at the lowest level."""

from __future__ import annotations

import pytest

from framework.law.places import common_folder, folders_above, inside, narrowed, place
from tests.feeds import made_feed


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("/a/b", "/a/b/"),
        ("/a/b/", "/a/b/"),
        ("/a/b//", "/a/b/"),
        ("  /a/b/ ", "/a/b/"),
        (" GS://b ", "gs://b/"),
        ("/A/B", "/A/B/"),
        ("GS://Bucket/Key", "gs://Bucket/Key/"),
        ("gs://bucket", "gs://bucket/"),
        ("dbfs:/Volumes/main/raw/x", "/Volumes/main/raw/x/"),
        ("DBFS:/Volumes/main/raw/x/", "/Volumes/main/raw/x/"),
        ("dbfs:///Volumes/main", "/Volumes/main/"),
        ("dbfs:/mnt/x", "dbfs:/mnt/x/"),
        ("dbfs:/VolumesX/y", "dbfs:/VolumesX/y/"),
        ("/", "/"),
    ],
)
def test_one_spelling(path: str, folder: str) -> None:
    assert place(path) == folder
    assert place(folder) == folder


@pytest.mark.parametrize(
    ("path", "folder", "is_inside"),
    [
        ("/a/b", "/a", True),
        ("/a", "/a", True),
        ("/a/", "/a", True),
        ("/a", "/a/b", False),
        ("/ab", "/a", False),
        ("gs://b/x", "GS://b", True),
        ("gs://bx", "gs://b", False),
    ],
)
def test_inside(path: str, folder: str, is_inside: bool) -> None:
    assert inside(path, folder) is is_inside


@pytest.mark.parametrize(
    ("path", "folders"),
    [
        ("/a/b/", ["/a/b/", "/a/", "/"]),
        ("/a/b", ["/a/", "/"]),
        ("gs://x/y/z", ["gs://x/y/", "gs://x/", "gs://", "gs:/"]),
        ("a", []),
        ("/", ["/"]),
    ],
)
def test_folders_above_come_deepest_first(path: str, folders: list[str]) -> None:
    assert list(folders_above(path)) == folders


@pytest.mark.parametrize(
    ("paths", "folder"),
    [
        (["/a/b/", "/a/c/"], "/a/"),
        (["/a/b/", "/a/b/"], "/a/b/"),
        (["/a/bx/", "/a/by/"], "/a/"),
        (["/a/b/c/", "/a/b/"], "/a/b/"),
        (["/a/", "/b/"], "/"),
        (["gs://a/x/", "gs://b/x/"], "gs://"),
        (["gs://a/", "/a/"], None),
        (["/a/b/", "/x/b/"], "/"),
        ([], None),
    ],
)
def test_the_deepest_folder_that_holds_them_all(paths: list[str], folder: str | None) -> None:
    assert common_folder(paths) == folder


def test_feeds_at_above_and_below_a_location() -> None:
    a, b = (made_feed(name=name, source={"path": f"/landing/{name}/"}) for name in ("a", "b"))
    other = made_feed(source={"path": "/other/"})
    assert narrowed([a, b, other], "/landing/") == (a, b)
    assert narrowed([a, b], None) == (a, b)
    assert narrowed([a, b], "/landing/a/") == (a,)
    assert narrowed([a, b], "/landing/b/day/1") == (b,)
    assert narrowed([a, b], "/landing/") == (a, b)
    assert narrowed([a, b], "/elsewhere/") == (a, b)
    assert narrowed([], "/landing/") == ()
