"""The laws of histories, of the model that the product is held to; and snapshots as the events between them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.merges.model import Event, Model, Version
from tests.support import Project

EVENTS = st.lists(
    st.builds(
        lambda kind, seq, a, b: Event(kind, (1,), seq, (a, b, seq) if kind == "U" else ()),
        st.sampled_from("UUD"),
        st.integers(0, 12),
        st.sampled_from("xy"),
        st.sampled_from("xy"),
    ),
    max_size=8,
    unique_by=lambda event: event.seq,
)


def history(events: list[Event]) -> list[Version]:
    model = Model(history=True, tracked=(0,))
    model.load(events)
    return sorted(model.versions(), key=lambda version: version.start)


def current(events: list[Event]) -> list[tuple[object, ...]]:
    model = Model()
    model.load(events)
    return [event.values for event in model.current().values()]


@settings(max_examples=300)
@given(EVENTS, st.integers(0, 12), st.randoms(use_true_random=False))
def test_the_laws_of_histories(events: list[Event], moment: int, dice: random.Random) -> None:
    versions = history(events)
    assert [each.values for each in versions if each.end is None] == current(events)
    before = [each for each in events if each.seq <= moment]
    as_of = [each for each in versions if each.start <= moment and (each.end is None or moment < each.end)]
    assert [each.values[0] for each in as_of] == [values[0] for values in current(before)]
    moments = {event.seq for event in events}
    for each, following in zip(versions, [*versions[1:], None], strict=False):
        assert {each.start, *([each.end] if each.end is not None else [])} <= moments
        assert each.end is None or each.start < each.end
        if following is not None:
            assert each.end is not None
            assert each.end < following.start or (each.end == following.start and each.values[0] != following.values[0])
    shuffled = dice.sample(events, len(events))
    assert history(shuffled) == versions


FEED = """\
feed: pictures
source: {path: "${landing}/pictures/", format: csv, files: "{at:int}.csv"}
schema: {k: int, a: string, b: string}
target:
  table: s.pictures
  mode: snapshot
  scd_type: 2
  keys: [k]
  track_columns: [a]
  snapshot: {by: at, max_deletes: 1, allow_empty: true}
"""


@pytest.mark.parametrize("seed", range(2))
def test_snapshots_equal_the_events_between_them(project: Project, seed: int) -> None:
    dice, model = random.Random(seed), Model(history=True, tracked=(0,))
    last: dict[int, tuple[str, str]] = {}
    project.feed("pictures", FEED)
    for at in range(1, 7):
        size = dice.choice((0, 8, 12))
        picture = {key: (dice.choice("xy"), dice.choice("xy")) for key in dice.sample(range(15), size)}
        rows = "".join(f"{key},{a},{b}\n" for key, (a, b) in picture.items())
        project.land("pictures", f"{at}.csv", "k,a,b\n" + rows)
        changed = [Event("U", (key,), at, value) for key, value in picture.items() if last.get(key) != value]
        model.load([*changed, *(Event("D", (key,), at) for key in last if key not in picture)])
        last = picture
    assert project.cli("run", "pictures").code == 0
    found = project.rows("s.pictures", "k, a, b, __START_AT s, coalesce(CAST(__END_AT AS VARCHAR), '') e")
    expected = ((*v.key, *v.values, v.start, "" if v.end is None else v.end) for v in model.versions())
    assert sorted(found) == sorted(tuple(map(str, row)) for row in expected)
