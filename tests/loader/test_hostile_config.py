"""Hostile or careless configuration: validate ends with 0 or 2, quickly; a feed that it lets pass can be planned."""

from __future__ import annotations

import copy
import errno
import os
import tempfile
import time
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framework.loader import check_project, load_project
from tests.loader.test_schemas import complete
from tests.support import ACTIVITY, Project

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BOMB.encode(), "aliases make more than"),
        (b"x" * 100_000_000, "larger than"),
        (b"feed: x\na: " + b"[" * 100_000, "nested too deeply"),
        (b"feed: x\nsource: " + b"{a: " * 50_000, "nested too deeply"),
        (b"a: &a [*a]\n", "contains itself"),
        (b"feed: !!python/object/apply:os.mkdir ['was-here']\n", "tag"),
        (b"\x00\x01\x02", "control character"),
        (b"\xff\xfe\xfa", "not UTF-8"),
    ],
    ids=["bomb", "100 MB", "brackets", "braces", "self", "python", "control", "binary"],
)
def test_refused_quickly(project: Project, content: bytes, words: str) -> None:
    project.write("pipelines_config/feeds/activity.yml", content)
    started = time.perf_counter()
    _, problems = check_project(project.path("pipelines_config"), "local", environ={})
    assert time.perf_counter() - started < 2
    assert any(words in problem.message for problem in problems), problems
    assert not os.path.exists("was-here")


FEEDS = [yaml.safe_load(ACTIVITY.format(name="activity")), yaml.safe_load(complete("feed.yml"))]
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.5, "", " ", "x", "id", "user_id", "csv", "${landing}", "${x}", "${", "*", "2026-01-01", "a.b",
     "decimal(12,2)", "array<int>", "\x07", "ü" * 200, [], ["x"], [[]], [{}], {}, {"a": {}}, {"type": "int"}]
)  # fmt: skip


NAMES = st.sampled_from(["x", "kyes", "", "a b", "Feed", "${feed}", "path"])
BYTES = st.binary(max_size=3) | st.sampled_from([b"\t", b"\n", b": ", b"{"])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found += places(item, (*path, key))
    return found


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid feed with keys dropped, renamed, moved or given other values; sometimes with its bytes changed."""
    feed = copy.deepcopy(draw(st.sampled_from(FEEDS)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(feed) or [("feed",)]))
        holder = feed
        for part in path[:-1]:
            holder = holder[part]
        match draw(st.sampled_from(["drop", "value", "rename", "move", "twice"])):
            case "drop":
                holder.pop(path[-1], None) if isinstance(holder, dict) else holder.pop()
            case "rename" if isinstance(holder, dict):
                holder[draw(st.sampled_from(["x", "kyes", "", "a b", "Feed", "${feed}", "path"]))] = holder.pop(
                    path[-1]
                )
            case "move":
                feed[str(path[-1])] = copy.deepcopy(holder[path[-1]])
            case "twice" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[path[-1]]))
            case _:
                holder[path[-1]] = copy.deepcopy(draw(VALUES))
        if not isinstance(feed, dict) or not places(feed):
            break
    content = bytearray(yaml.safe_dump(feed, allow_unicode=True, sort_keys=False).encode())
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 2))] = draw(
            st.binary(max_size=3) | st.sampled_from([b"\t", b"\n", b": ", b"{"])
        )
    return bytes(content)


def made(path: str, folder: str) -> bool:
    """Whether the landing folder could be made: a name may be longer than the system takes."""
    assert path.startswith(folder), "the mutations know no other folder"
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        assert error.errno == errno.ENAMETOOLONG  # noqa: PT017 (nothing else may go wrong)
        return False
    return True


def check(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = Project(folder)
        project.write("pipelines_config/feeds/a.yml", content)
        result = project.cli("validate")
        assert result.code in (0, 2)
        if result.code == 0 and result.document["feeds"]:
            config = project.path("pipelines_config")
            feeds = load_project(config, "local", environ={}).feeds
            there = [made(feed.source.path, folder) for feed in feeds]
            before = project.files(".")
            planned = project.cli("plan")
            assert planned.code == (0 if all(there) else 1), planned.document
            assert project.files(".") == before


def test_a_name_that_no_folder_can_have() -> None:
    check(ACTIVITY.format(name="activity").replace("/activity/", "/" + "ü" * 200 + "/").encode())


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_mutated_feeds(content: bytes) -> None:
    check(content)


@pytest.mark.torture
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_ten_thousand_mutated_feeds(content: bytes) -> None:
    check(content)
