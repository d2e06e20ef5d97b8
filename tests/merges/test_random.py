"""Random events in random files and batches, against the model: targets, histories, what is remembered, figures."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.engines.driving import Drive
from tests.merges.driven import History
from tests.merges.model import Event, Model

DELETES = "apply_as_deletes: \"op = 'D'\""
TRUNCATES = f"{DELETES}, apply_as_truncates: \"op = 'T'\""
MODES = {
    "hard": (DELETES, False, (0, 1)),
    "soft": (f"{DELETES}, delete_mode: soft", False, (0, 1)),
    "truncates": (TRUNCATES, False, (0, 1)),
    "history": (f"{DELETES}, scd_type: 2", True, (0, 1)),
    "tracked": (f"{DELETES}, scd_type: 2, track_columns: [a]", True, (0,)),
    "audited": (f"{DELETES}, scd_type: 2, track_except: b, audit_columns: true", True, (0,)),
}
VALUES = st.sampled_from(["x", "y", None])
NAMES = (f"random{number}" for number in itertools.count())


def events(kinds: str, *, pairs: bool) -> st.SearchStrategy[Event]:
    number = st.integers(0, 9)
    return st.builds(
        lambda kind, key, seq, a, b: Event(kind, (key,), seq, (a, b, seq) if kind == "U" else ()),
        st.sampled_from(kinds),
        st.integers(1, 5),
        st.tuples(st.integers(0, 2), st.integers(0, 2)) if pairs else number,
        VALUES,
        VALUES,
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[str, bool, list[list[list[Event]]]]:
    """A mode, whether its sequence has two columns, and batches of files of events."""
    mode, pairs = draw(st.sampled_from(sorted(MODES))), draw(st.booleans())
    kinds = "UUUUDDT" if mode == "truncates" else "UUUD"
    files = st.lists(events(kinds, pairs=pairs), min_size=1, max_size=8)
    return mode, pairs, draw(st.lists(st.lists(files, min_size=1, max_size=2), min_size=1, max_size=4))


def stored(history: History) -> list[tuple[str | None, ...]]:
    """The target as texts: key, values, sequence, and from when to when."""
    sequence = "CAST(n AS VARCHAR)"
    if "m" not in history.feed.target.except_columns:
        sequence = "n || '-' || m"
    times, mark = "NULL, NULL", "NULL"
    if history.feed.target.delete_mode == "soft":
        mark = "_deleted_at"
    if history.feed.target.scd_type == 2:
        fields = ("__START_AT", "__END_AT")
        pairs = len(history.feed.target.sequence_by) > 1
        times = ", ".join(f"{each}.n || '-' || {each}.m" if pairs else f"CAST({each} AS VARCHAR)" for each in fields)
    rows = history.rows(f"k, a, b, {sequence} AS n_, {times}, {mark} AS d")
    return sorted(_sortable(row[:-1]) for row in rows if row[-1] is None)


def marked(history: History) -> list[str]:
    """The keys that are marked as deleted."""
    return sorted(str(key) for key, mark in history.rows("k, _deleted_at d") if mark is not None)


def _sortable(row: Sequence[object]) -> tuple[str, ...]:
    return tuple("" if value is None else str(value) for value in row)


def _seq(value: object) -> object:
    return "-".join(map(str, value)) if isinstance(value, tuple) else value


def expected(model: Model) -> list[tuple[str | None, ...]]:
    if model.history:
        rows = [(*v.key, *v.values[:2], _seq(v.values[2]), _seq(v.start), _seq(v.end)) for v in model.versions()]
    else:
        rows = [(*key, *e.values[:2], _seq(e.seq), None, None) for key, e in model.current().items()]
    return sorted(map(_sortable, rows))


def check(
    drive: Drive, drives: Sequence[Drive], mode: str, pairs: bool, batches: Sequence[Sequence[Sequence[Event]]]
) -> None:
    more, is_history, tracked = MODES[mode]
    history = History(drive, next(NAMES), more, "[n, m]" if pairs else "n")
    model = Model(history=is_history, tracked=tracked)
    takers = itertools.cycle(drives)
    for files in batches:
        figures, given = model.load([event for file in files for event in file]), history.load(*files, by=next(takers))
        assert stored(history) == expected(model)
        if mode == "soft":
            assert marked(history) == sorted(str(key[0]) for key in model.events if key not in model.current())
            assert given["stale"] == figures["stale"]
        else:
            assert given == +figures
    before = data_of(history)
    again = history.load(*batches[-1], by=next(takers))
    assert not {"inserted", "updated", "deleted"} & set(again)
    assert data_of(history) == before


def data_of(history: History) -> list[list[str]]:
    """The files of the target and of what is remembered."""
    tables = (history.feed.target.table.name, history.remembered)
    return [sorted(delta.file_uris()) for name in tables if (delta := history.drive._project.table(name)) is not None]


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drive]:
    made = Drive("embedded", os.fspath(tmp_path_factory.mktemp("random")))
    yield made
    made.close()


FEW = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
)


@FEW
@given(histories())
def test_random_histories(drive: Drive, history: tuple[str, bool, list[list[list[Event]]]]) -> None:
    check(drive, [drive], *history)


@pytest.mark.torture
@settings(FEW, max_examples=500)
@given(histories())
def test_many_random_histories(drive: Drive, history: tuple[str, bool, list[list[list[Event]]]]) -> None:
    check(drive, [drive], *history)


# Many keys in one feed make one run on Spark worth many histories


def drawn(dice: random.Random, mode: str, *, pairs: bool) -> list[list[list[Event]]]:
    """Three batches of events of forty keys, late and early, with ties, repeats, deletes and NULLs."""
    kinds = "UUUUUDDT" if mode == "truncates" else "UUUD"
    events = []
    for _ in range(300):
        kind, key = dice.choice(kinds if dice.random() < 0.9 else "U"), dice.randrange(40)
        seq = (dice.randrange(3), dice.randrange(3)) if pairs else dice.randrange(12)
        if kind == "T" and dice.random() < 0.9:
            kind = "U"
        values = (dice.choice(("x", "y", None)), dice.choice(("x", "y", None)), seq)
        events.append(Event(kind, (key,), seq, values if kind == "U" else ()))
    return [[events[:60], events[60:100]], [events[100:200]], [events[200:]]]


@pytest.fixture
def turns(spark: object, tmp_path: os.PathLike[str]) -> Iterator[list[Drive]]:
    """Both engines over the same tables."""
    del spark
    drives = [Drive(kind, os.fspath(tmp_path)) for kind in ("spark", "embedded")]
    yield drives
    for made in drives:
        made.close()


@pytest.mark.spark
@pytest.mark.parametrize(
    ("mode", "pairs"), [pytest.param("audited", True, marks=pytest.mark.torture), ("truncates", False)]
)
def test_engines_take_turns(turns: list[Drive], mode: str, pairs: bool) -> None:
    check(turns[0], turns, mode, pairs, drawn(random.Random(mode), mode, pairs=pairs))


@pytest.mark.spark
@pytest.mark.torture
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("mode", sorted(MODES))
def test_engines_take_turns_often(turns: list[Drive], mode: str, seed: int) -> None:
    check(turns[0], turns[seed % 2 :], mode, seed > 1, drawn(random.Random(f"{mode}{seed}"), mode, pairs=seed > 1))
