"""The fast look at a document never finds sound what jsonschema has something to say about."""

from __future__ import annotations

import glob
import os
import random
from typing import Any

import pytest

from framework.loader.nodes import data, parse
from framework.loader.validators import Kind, sound, validator
from tests.loader.test_golden import GOLDEN
from tests.support import REPOSITORY

pytest.importorskip("jsonschema_rs")
FEEDS = sorted(glob.glob(os.path.join(REPOSITORY, "examples", "*", "pipelines_config", "feeds", "*.yml")))
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1.0,
    1.5,
    10**30,
    "",
    "x",
    "2026-01-01",
    "a\n",
    "${landing}/x",
    "not_yet",
    [],
    {},
    ["x", "x"],
]


def document(file: str) -> Any:
    with open(file, "rb") as stream:
        node = parse(stream.read(), file, lambda _: None)
    return None if node is None else data(node)


def agree(found: Any, kind: Kind = Kind.FEED) -> bool:
    """Whether it is sound, for both."""
    wrong = [error.message for error in validator(kind).iter_errors(found)]
    assert not (sound(found, kind) and wrong), wrong
    return sound(found, kind)


def places(found: Any) -> list[tuple[Any, Any]]:
    """Every container of a document with each of its keys."""
    match found:
        case dict():
            return [(found, key) for key in found] + [each for value in found.values() for each in places(value)]
        case list():
            return [(found, at) for at in range(len(found))] + [each for value in found for each in places(value)]
        case _:
            return []


def test_feeds_are_sound_and_known_to_be() -> None:
    assert len(FEEDS) >= 5
    assert all(agree(document(file)) for file in FEEDS)


def test_mistakes_are_never_sound() -> None:
    assert sum(not agree(document(file)) for file in GOLDEN) >= 60


def test_any_value_in_any_place() -> None:
    """Each place of each feed holds each odd value, or is missing, or has a neighbour that nobody knows."""
    chance, wrong = random.Random(1), 0
    for file in FEEDS[:4] + chance.sample(GOLDEN, 8):
        for at in range(len(places(document(file)))):
            for odd in chance.sample(ODD, 2):
                changed = document(file)
                holder, key = places(changed)[at]
                holder[key] = odd
                wrong += not agree(changed)
            changed = document(file)
            holder, key = places(changed)[at]
            if isinstance(holder, dict):
                holder["unknown"] = holder.pop(key)
                wrong += not agree(changed)
    assert wrong > 300


def test_what_json_has_not_is_not_sound() -> None:
    assert not sound({"feed": {1, 2}}, Kind.FEED)
