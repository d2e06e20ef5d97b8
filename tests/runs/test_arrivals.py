"""When feeds run, with time as a number: no version that lived too briefly, nothing forgotten, nothing in haste."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from framework.names import File
from framework.runs.arrivals import Action, Arrivals, Look, Outcome, Pace

SECONDS = st.floats(0, 20).map(lambda seconds: round(seconds, 2))


@dataclass
class Landing:
    """A landing folder over time, and a feed that loads from it as it is told to."""

    arrivals: Arrivals
    writes: list[tuple[float, str]]
    notified: bool
    failures: list[Outcome]
    look_seconds: float
    run_seconds: float
    skew: float = 0.0
    now: float = 0.0
    files: dict[str, float] = field(default_factory=dict)
    loaded: list[tuple[str, float]] = field(default_factory=list)
    first_seen: set[tuple[str, float]] | None = None
    pauses: list[float] = field(default_factory=list)

    def until(self, time: float) -> None:
        while self.writes and self.writes[0][0] <= time:
            at, name = self.writes.pop(0)
            self.files[name] = at
            if self.notified:
                self.arrivals.changed(at)
        self.now = time

    def file(self, name: str, written: float) -> File:
        version = round((written + self.skew) * 1e9)
        return File(f"/landing/{name}", name, version, 1, version)

    def look(self) -> None:
        started = self.now
        self.until(started + self.look_seconds / 2)
        found = [self.file(name, written) for name, written in self.files.items()]
        if self.first_seen is None:
            self.first_seen = set(self.files.items())
        self.until(started + self.look_seconds)
        self.arrivals.looked(Look(started, self.now, round(started * 1e9), found))

    def run(self) -> None:
        ready, started = self.arrivals.ready, self.now
        chosen = {(name, at) for name, at in self.files.items() if self.file(name, at).identity in ready}
        self.until(started + self.run_seconds)
        outcome = self.failures.pop(0) if self.failures else Outcome.DONE if chosen else Outcome.IDLE
        if outcome is Outcome.DONE:
            self.loaded += sorted(chosen)
            self.files = dict(self.files.items() - chosen)
        if (pause := self.arrivals.ended(self.now, outcome)) is not None:
            self.pauses.append(pause)

    def play(self, seconds: float) -> None:
        """Until nothing is left to load and to happen, or the time is over."""
        still = 0
        while self.now < seconds and (self.writes or self.files or not self.arrivals.drained):
            before = self.now
            match self.arrivals.next(self.now):
                case Action.LOOK:
                    self.look()
                case Action.RUN:
                    self.run()
                case None:
                    wake = min(self.arrivals.wake, self.writes[0][0] if self.writes else inf)
                    assert wake < inf, "something is left and nothing would ever happen"
                    self.until(max(self.now, wake))
            still = still + 1 if self.now == before else 0
            assert still < 10, "it turns in a circle"


@settings(max_examples=300, deadline=None)
@given(
    writes=st.lists(st.tuples(SECONDS, st.sampled_from("abc")), max_size=30, unique_by=lambda write: write[0]),
    quiet=st.sampled_from([0.0, 0.5, 2.0]),
    notified=st.booleans(),
    failures=st.lists(st.sampled_from([Outcome.FAILED, Outcome.BUSY]), max_size=4),
    look_seconds=st.sampled_from([0.0, 0.01, 0.3]),
    run_seconds=st.sampled_from([0.0, 0.2, 5.0]),
    skew=st.sampled_from([0.0, 3600.0, -3600.0]),
)
def test_quiet_files_are_loaded_once_and_soon(
    writes: list[tuple[float, str]],
    quiet: float,
    notified: bool,
    failures: list[Outcome],
    look_seconds: float,
    run_seconds: float,
    skew: float,
) -> None:
    """Whatever a file server's clock says, what is lost of the notifications, and how often the feed fails."""
    history = sorted(writes)
    times = {name: [at for at, each in history if each == name] for _, name in history}
    pace = Pace(quiet, interval=7.0)
    landing = Landing(Arrivals(pace), list(history), notified, list(failures), look_seconds, run_seconds, skew, now=0.0)
    landing.play(300)
    assert landing.files == {}
    assert len(landing.loaded) == len(set(landing.loaded)), "no version is loaded twice"
    assert dict(landing.loaded) == {name: at[-1] for name, at in times.items()}
    for name, at in landing.loaded:
        if (name, at) not in (landing.first_seen or ()):
            following = bisect_right(times[name], at)
            lived = times[name][following] - at if following < len(times[name]) else inf
            assert lived >= quiet, "a version that was replaced within the quiet period was loaded"
    last = history[-1][0] if history else 0.0
    patience = 2.2 * quiet + 12 * look_seconds + 3 * run_seconds + (0.0 if notified else pace.interval)
    assert landing.now <= last + patience + sum(landing.pauses) + len(failures) * (run_seconds + look_seconds) + 0.01


def test_a_file_that_keeps_growing_is_never_ready_and_rarely_looked_at() -> None:
    writes = [(number / 100, "a") for number in range(1, 1000)]
    landing = Landing(Arrivals(Pace(0.5, 60)), writes, True, [], 0.001, 0.0)
    looks = 0
    while landing.now < 9.9:
        match landing.arrivals.next(landing.now):
            case Action.LOOK:
                landing.look()
                looks += 1
            case action:
                assert action is None
                landing.until(min(landing.arrivals.wake, writes[0][0]) if writes else 10)
    assert landing.arrivals.drained, "with --once it is not waited for"
    assert 15 < looks < 110


def test_an_old_file_is_ready_at_once_where_ages_count() -> None:
    old, new = File("/a", "a", 1, 1, 0), File("/b", "b", 2, 1, 10**9)
    for trusted, times in ((False, 0), (True, 0), (True, 3)):
        arrivals = Arrivals(Pace(5, 60), trust_age=trusted)
        for number in range(times):
            arrivals.looked(Look(number, number, 10**10))
        arrivals.looked(Look(times, times, 3 * 10**9, [old, new]))
        assert arrivals.ready == set()
        arrivals.looked(Look(times + 1, times + 1, 10**10, [old, File("/c", "c", 3, 1, 0)]))
        assert arrivals.ready == ({("/c", 3, 1)} if trusted else set())
    arrivals = Arrivals(Pace(5, 60))
    arrivals.looked(Look(0, 0, 10**10, [old]))
    assert arrivals.ready == {old.identity}


def test_pauses_grow_to_their_limit_and_new_files_do_not_wait() -> None:
    arrivals, now = Arrivals(Pace(0, 1e9)), 0.0
    file = File("/a", "a", 1, 1, 0)
    pauses = []
    for _ in range(12):
        assert arrivals.next(now) is Action.LOOK
        arrivals.looked(Look(now, now, 0, [file]))
        assert arrivals.next(now) is Action.RUN
        pause = arrivals.ended(now, Outcome.FAILED)
        assert pause is not None
        pauses.append(pause)
        assert arrivals.next(now) is Action.LOOK
        arrivals.looked(Look(now, now, 0, [file]))
        assert arrivals.next(now) is None
        assert arrivals.wake == now + pause
        now += pause
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    arrivals.changed(now)
    assert arrivals.next(now) is Action.LOOK
    arrivals.looked(Look(now, now, 0, [file, File("/b", "b", 2, 1, 0)]))
    assert arrivals.next(now) is Action.RUN


def test_an_unreadable_folder_is_tried_again_and_a_missing_one_does_not_run() -> None:
    arrivals = Arrivals(Pace(1, 60), due=True)
    assert [arrivals.next(0), arrivals.unreadable(0)] == [Action.LOOK, 1]
    arrivals = Arrivals(Pace(1, 60), due=True)
    assert arrivals.next(0) is Action.LOOK
    arrivals.looked(Look(0, 0, 0, missing=True))
    assert (arrivals.next(0), arrivals.wake) == (None, 60)
    arrivals.changed(10)
    assert arrivals.next(10) is Action.LOOK
    arrivals.looked(Look(10, 10, 0))
    assert arrivals.next(10) is Action.RUN, "unfinished work does not need a file"


def look(arrivals: Arrivals, now: float, *files: File) -> Arrivals:
    assert arrivals.next(now) is Action.LOOK
    arrivals.looked(Look(now, now, 0, files))
    return arrivals


def test_the_same_version_delivered_again_is_loaded_again() -> None:
    """Whether or not it was seen to be away in between, and after failures too."""
    file = File("/a", "a", 1, 1, 0)
    arrivals = look(Arrivals(Pace(0, 60)), 0, file)
    assert arrivals.next(0) is Action.RUN
    arrivals.ended(1, Outcome.DONE)
    assert look(arrivals, 1, file).next(1) is Action.RUN
    arrivals.ended(2, Outcome.FAILED)
    look(arrivals, 2)
    arrivals.changed(2.5)
    assert look(arrivals, 2.5, file).next(2.5) is Action.RUN


def test_a_file_that_a_run_leaves_without_a_reason_is_tried_again() -> None:
    file = File("/a", "a", 1, 1, 0)
    arrivals = look(Arrivals(Pace(0, 60)), 0, file)
    assert arrivals.next(0) is Action.RUN
    arrivals.ended(1, Outcome.IDLE)
    assert (look(arrivals, 1, file).next(1), arrivals.wake) == (None, 61)
    assert look(arrivals, 61, file).next(61) is Action.RUN


def test_a_change_during_a_look_leads_to_another_look() -> None:
    arrivals = Arrivals(Pace(0.5, 60))
    assert arrivals.next(0) is Action.LOOK
    arrivals.changed(0.9)
    arrivals.looked(Look(0, 1, 0))
    assert arrivals.wake == 4, "three times as long as it took, so that looks do not fill the time"
