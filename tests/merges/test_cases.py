"""The cases of a key's events: what SCD1 and SCD2 make of them, in the order in which they stand and in others."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.engines.driving import Drive
from tests.merges.driven import History
from tests.merges.model import Event, Model

CASES = {
    1: ("U10 a", "a", "a[10,)"),
    2: ("U20 b | U10 a", "b", "a[10,20) b[20,)"),
    3: ("U20 b | D10", "b", "b[20,)"),
    4: ("U20 b | D10 | U5 a", "b", "a[5,10) b[20,)"),
    5: ("U10 a | D30 | U20 b", "", "a[10,20) b[20,30)"),
    6: ("D20 | U10 x", "", "x[10,20)"),
    7: ("D5", "", ""),
    8: ("D5 | U9 a", "a", "a[9,)"),
    9: ("U10 a, D20, U30 a", "a", "a[10,20) a[30,)"),
    10: ("U10 a, U20 b, D30, U40 c", "c", "a[10,20) b[20,30) c[40,)"),
    11: ("U1 A, U2 B, U3 A", "A", "A[1,2) B[2,3) A[3,)"),
    12: ("U10 a, U20 c | U15 b", "c", "a[10,15) b[15,20) c[20,)"),
    13: ("U1 a, U5 b, U10 c, U20 d | U7 x, U15 y", "d", "a[1,5) b[5,7) x[7,10) c[10,15) y[15,20) d[20,)"),
    14: ("U5 A, U10 A, U15 A, U20 C | U12 B", "C", "A[5,12) B[12,15) A[15,20) C[20,)"),
    15: ("U10 a | U5 a", "a", "a[5,)"),
    16: ("U10 a | U20 a", "a", "a[10,)"),
    17: ("U10 a, U30 b | D20", "b", "a[10,20) b[30,)"),
    18: ("U10 a, D20 | D15", "", "a[10,15)"),
    19: ("U10 a, D20 | D15 | U17 x", "", "a[10,15) x[17,20)"),
    20: ("U10 a, D20, D30", "", "a[10,20)"),
    21: ("U10 a | U5 b", "a", "b[5,10) a[10,)"),
    22: ("U10 a | U10 a", "a", "a[10,)"),
    23: ("U10 a | U10 b", "b", "b[10,)"),
    28: ("U10 -, U20 -", "-", "-[10,)"),
    29: ("U10 a, U20 -", "-", "a[10,20) -[20,)"),
    30: ("U10 a, U11 a | D12 | U20 b", "b", "a[10,12) b[20,)"),
}
TIES = (22, 23)
Batch = list[Event]


def parsed(text: str, key: int) -> list[Batch]:
    return [[_event(each.strip(), key) for each in batch.split(",")] for batch in text.split("|")]


def _event(text: str, key: int) -> Event:
    kind, seq, value = re.fullmatch(r"([UD])(\d+) ?(\S*)", text).groups()  # type: ignore[union-attr]
    return Event(kind, (key,), int(seq), (None if value == "-" else value, None) if kind == "U" else ())


def orders(batches: list[Batch], most: int) -> Iterator[list[Batch]]:
    """As they stand; every event in a batch of its own, forwards and backwards, or in `most` batches if they are more;
    all in one batch, backwards."""
    single = [event for batch in batches for event in batch]
    for order in (single, single[::-1]):
        size = -(-len(order) // most)
        yield [order[at : at + size] for at in range(0, len(order), size)]
    yield batches
    yield [single[::-1]]


@dataclass(frozen=True, slots=True)
class Loads:
    """An engine, and in how many batches at most it gets the events of a case."""

    drive: Drive
    most: int


EACH_ALONE = 9
SPARK = [pytest.mark.spark]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("embedded", EACH_ALONE), id="embedded"),
        pytest.param(("spark", 3), id="spark", marks=SPARK),
        pytest.param(("spark", EACH_ALONE), id="spark-each-alone", marks=[*SPARK, pytest.mark.torture]),
    ],
)
def loads(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loads]:
    """An engine; all cases of a mode are one feed, so that Spark is asked a few times."""
    engine, most = request.param
    if engine == "spark":
        request.getfixturevalue("spark")
    drive = Drive(engine, os.fspath(tmp_path_factory.mktemp(engine)))
    yield Loads(drive, most)
    drive.close()


def cases(most: int = EACH_ALONE) -> dict[int, tuple[list[Batch], Sequence[str]]]:
    """Every case in every order, each with a key of its own: the batches, and the two results."""
    found: dict[int, tuple[list[Batch], Sequence[str]]] = {}
    for number, (text, *results) in CASES.items():
        for place, batches in enumerate(orders(parsed(text, 0), most)):
            if place != 2 and number in TIES:
                continue
            key = number * 10 + place
            mine = [[Event(each.kind, (key,), each.seq, each.values) for each in batch] for batch in batches]
            found[key] = mine, results
    return found


def loaded(history: History, most: int) -> None:
    """Load all cases, the n-th batches of all of them together."""
    every = [batches for batches, _ in cases(most).values()]
    model = Model(history=history.feed.target.scd_type == 2)
    for place in range(max(map(len, every))):
        batch = [event for batches in every if place < len(batches) for event in batches[place]]
        expected = model.load([_with_sequence(event) for event in batch])
        assert history.load(batch) == +expected


def _with_sequence(event: Event) -> Event:
    """The event as the model sees it, whose target has the sequence as a column too."""
    return Event(event.kind, event.key, event.seq, (*event.values, event.seq) if event.kind == "U" else ())


def test_the_model_says_what_the_cases_say() -> None:
    for batches, (now, versions) in cases().values():
        for history in (False, True):
            model = Model(history=history)
            for batch in batches:
                model.load(batch)
            current = [event.values[0] or "-" for event in model.current().values()]
            assert (" ".join(current)) == now
            found = [f"{v.values[0] or '-'}[{v.start},{'' if v.end is None else v.end})" for v in model.versions()]
            assert " ".join(found) == versions


@pytest.mark.rarely
@pytest.mark.parametrize("mode", ["delete_mode: hard", "delete_mode: soft"])
def test_rows_as_they_are_now(loads: Loads, mode: str) -> None:
    soft = "soft" in mode
    history = History(loads.drive, f"scd1_{mode[-4:]}", f"apply_as_deletes: \"op = 'D'\", {mode}")
    if soft:
        for place in range(6):
            batch = [
                event for batches, _ in cases(loads.most).values() if place < len(batches) for event in batches[place]
            ]
            if batch:
                history.load(batch)
    else:
        loaded(history, loads.most)
    live = history.rows(f"k, coalesce(a, '-') AS a{', _deleted_at' if soft else ''}")
    found = {int(row[0]): row[1] for row in live if len(row) < 3 or row[2] is None}
    assert found == {key: now for key, (_, (now, _)) in cases(loads.most).items() if now}


def test_rows_as_they_were(loads: Loads) -> None:
    history = History(loads.drive, "scd2", "apply_as_deletes: \"op = 'D'\", scd_type: 2")
    loaded(history, loads.most)
    found: dict[int, list[str]] = {}
    shown = "k, coalesce(a, '-') AS a, CAST(__START_AT AS VARCHAR) s, coalesce(CAST(__END_AT AS VARCHAR), '') e"
    for key, value, start, end in sorted(history.rows(shown), key=lambda row: (int(row[0]), int(row[2]))):
        found.setdefault(int(key), []).append(f"{value}[{start},{end})")
    expected: dict[int, Any] = {key: versions for key, (_, (_, versions)) in cases(loads.most).items() if versions}
    assert {key: " ".join(versions) for key, versions in found.items()} == expected
