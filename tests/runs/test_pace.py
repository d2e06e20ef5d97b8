"""When feeds run, moment by moment: what a listing saw and when, and how long a feed pauses."""

from __future__ import annotations

from bisect import bisect_right
from math import inf
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.names import File
from framework.runs.arrivals import Action, Arrivals, Look, Outcome, Pace


def file(name: str = "a", version: int = 1) -> File:
    return File(f"/{name}", name, version, 1, version)


def look(arrivals: Arrivals, started: float, *files: File, took: float = 0.0, wall: int = 0) -> None:
    assert arrivals.next(started) is Action.LOOK
    arrivals.looked(Look(started, started + took, wall, files))


def run(arrivals: Arrivals, now: float, outcome: Outcome, took: float = 0.0) -> float | None:
    assert arrivals.next(now) is Action.RUN
    return arrivals.ended(now + took, outcome)


@pytest.mark.parametrize(
    ("outcome", "pauses"),
    [
        (Outcome.FAILED, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]),
        (Outcome.BUSY, [1, 2, 4, 8, 16, 30, 30, 30]),
    ],
)
def test_pauses_double_up_to_their_limit(outcome: Outcome, pauses: list[float]) -> None:
    pace = Pace(1, 1)
    assert [pace.pause(outcome, times) for times in range(len(pauses))] == pauses
    assert pace.pause(outcome, 10_000) == pauses[-1]
    arrivals, now, found = Arrivals(Pace(0, inf)), 0.0, []
    for _ in pauses:
        look(arrivals, now, file())
        pause = run(arrivals, now, outcome)
        assert pause is not None
        found.append(pause)
        look(arrivals, now, file())
        now += pause
        assert arrivals.next(now - 0.001) is None
    assert found == pauses


@pytest.mark.parametrize("good", [Outcome.DONE, Outcome.IDLE])
def test_after_a_success_the_first_pause_is_the_short_one_again(good: Outcome) -> None:
    arrivals, now, pauses = Arrivals(Pace(0, inf)), 0.0, []
    for version, outcome in enumerate([Outcome.FAILED, Outcome.FAILED, good, Outcome.FAILED]):
        look(arrivals, now, file(version=version))
        pauses.append(run(arrivals, now, outcome))
        now += 10
    assert pauses == [1, 2, None, 1]


def test_unreadable_folders_pause_longer_each_time_and_start_anew_after_a_look() -> None:
    arrivals, now, pauses = Arrivals(Pace(1, 60)), 0.0, []
    for _ in range(3):
        assert arrivals.next(now) is Action.LOOK
        pauses.append(arrivals.unreadable(now))
        assert arrivals.wake == now + pauses[-1]
        now += pauses[-1]
    look(arrivals, now)
    now = arrivals.wake
    assert arrivals.next(now) is Action.LOOK
    assert [*pauses, arrivals.unreadable(now)] == [1, 2, 4, 1]


@pytest.mark.parametrize("took", [0.0, 0.8])
def test_a_version_is_quiet_only_when_it_was_certainly_there_for_the_quiet_time(took: float) -> None:
    """Between the end of the look that found it and the beginning of the one that finds it again."""
    for later, quiet in ((1.9, False), (2.0, True)):
        arrivals = Arrivals(Pace(2.0, 60))
        arrivals.looked(Look(0, took, 0))
        arrivals.looked(Look(10, 10 + took, 0, [file()]))
        again = 10 + took + later
        arrivals.looked(Look(again, again + took, 0, [file()]))
        assert (arrivals.ready == {file().identity}) is quiet


SECONDS = st.integers(0, 40).map(lambda tenths: tenths / 10)


@settings(max_examples=200, deadline=None)
@given(
    writes=st.lists(SECONDS, min_size=1, max_size=8, unique=True).map(sorted),
    took=st.sampled_from([0.0, 0.3, 1.0]),
    quiet=st.sampled_from([0.5, 1.0, 2.0]),
    seed=st.integers(0, 1 << 32),
)
def test_no_version_that_lived_too_briefly_whenever_a_look_lists(
    writes: list[float], took: float, quiet: float, seed: int
) -> None:
    """A listing happens at any moment of a look, and its result is what stood there at that moment."""
    arrivals, random, now = Arrivals(Pace(quiet, interval=3.0)), Random(seed), 0.0
    first: int | None = None
    loaded = -1
    while loaded < len(writes) - 1:
        now = max(now, arrivals.wake)
        assert now < 100, "the last version was never loaded"
        match arrivals.next(now):
            case Action.LOOK:
                there = bisect_right(writes, now + random.choice([0.0, random.random(), 1.0]) * took) - 1
                first = there if first is None else first
                files = [File("/a", "a", there, 1, round(writes[there] * 1e9))] if there > loaded else []
                arrivals.looked(Look(now, now + took, round(now * 1e9), files))
                now += took
            case Action.RUN if arrivals.ready:
                ((_, loaded, _),) = arrivals.ready
                lived = [*writes, inf][loaded + 1] - writes[loaded]
                assert loaded == first or lived >= quiet, "it was replaced within the quiet time and loaded"
                assert now - writes[loaded] >= quiet, "it was loaded in haste"
                arrivals.ended(now, Outcome.DONE)
            case Action.RUN:
                arrivals.ended(now, Outcome.IDLE)


def test_an_age_is_trusted_from_the_quiet_time_on() -> None:
    second = 10**9
    for age, quiet in ((5.0, True), (4.999, False)):
        arrivals = Arrivals(Pace(5, 60), trust_age=True)
        arrivals.next(0)
        arrivals.looked(Look(0, 0, 100 * second, [File("/a", "a", 1, 1, round((100 - age) * second))]))
        assert bool(arrivals.ready) is quiet


def test_without_a_quiet_time_everything_is_ready_at_once() -> None:
    arrivals = Arrivals(Pace(0, 60))
    look(arrivals, 0)
    arrivals.changed(1)
    look(arrivals, 1, file())
    assert arrivals.next(1) is Action.RUN


def test_new_files_are_told_once() -> None:
    arrivals = Arrivals(Pace(5, 60))
    assert arrivals.looked(Look(0, 0, 0, [file("a"), file("b")])) == (file("a"), file("b"))
    assert arrivals.looked(Look(1, 1, 0, [file("a", 2), file("b"), file("c")])) == (file("c"),)
    assert arrivals.looked(Look(2, 2, 0, [])) == ()
    assert arrivals.looked(Look(3, 3, 0, [file("a")])) == (file("a"),)


def test_when_it_looks_again() -> None:
    arrivals = Arrivals(Pace(5, 60))
    look(arrivals, 0)
    assert arrivals.wake == 60, "nothing is waited for"
    arrivals.changed(0.5)
    assert arrivals.wake == 1, "not more often than five times in a quiet period"
    arrivals.changed(3)
    assert arrivals.wake == 1, "what is planned earlier stays"
    look(arrivals, 1, file(), took=0.1)
    assert arrivals.wake == 6.1, "when it may be quiet"
    look(arrivals, 6.1, file())
    assert arrivals.wake == -inf, "it is to run"


def test_what_a_feed_does_is_one_thing_at_a_time() -> None:
    arrivals = Arrivals(Pace(0, 60), due=True)
    assert arrivals.next(0) is Action.LOOK
    assert (arrivals.next(0), arrivals.wake, arrivals.running, arrivals.drained) == (None, inf, False, False)
    arrivals.looked(Look(0, 0, 0))
    assert arrivals.next(0) is Action.RUN
    assert (arrivals.next(0), arrivals.wake, arrivals.running, arrivals.drained) == (None, inf, True, False)
    arrivals.ended(1, Outcome.DONE)
    assert not arrivals.drained, "there may be more"
    look(arrivals, 1)
    assert (arrivals.next(1), arrivals.drained, arrivals.running) == (None, True, False)


def test_drained() -> None:
    arrivals = Arrivals(Pace(5, 60))
    look(arrivals, 0)
    arrivals.changed(1)
    look(arrivals, 1, file())
    assert not arrivals.drained, "a file may become quiet"
    look(arrivals, 6, file(version=2))
    assert arrivals.drained, "a file that keeps changing is not waited for"
    arrivals.changed(8)
    look(arrivals, 8, file(version=2))
    assert arrivals.drained
    look(arrivals, 11, file(version=2))
    assert not arrivals.drained, "it has become quiet"
    run(arrivals, 11, Outcome.DONE)
    look(arrivals, 11)
    assert arrivals.drained
