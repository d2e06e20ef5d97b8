"""Two runners over batches that are older and newer than each other, deletes among them: no older event wins."""

from __future__ import annotations

import random
import signal
import time

import pytest

from tests.merges.driven import text_of
from tests.merges.model import Event, Model
from tests.support import Project

FEED = """\
feed: {name}
source: {{path: "${{landing}}/{name}/", format: csv, max_files_per_batch: 1}}
schema: {{k: int, n: int, m: int, op: string, a: string, b: string}}
target: {{table: s.{name}, keys: [k], sequence_by: n, except_columns: [op, m], apply_as_deletes: "op = 'D'", {more}}}
"""


def race(project: Project, rounds: int, seed: int) -> None:
    """Land files whose events lie before and after those of others, start two runners, kill one of them."""
    dice = random.Random(seed)
    moments = [(key, seq) for key in range(6) for seq in range(rounds * 4)]
    dice.shuffle(moments)
    for name, more in (("now", "scd_type: 1"), ("was", "scd_type: 2")):
        project.feed(name, FEED.format(name=name, more=more))
    now, was = Model(), Model(history=True, tracked=(0, 1))
    for number in range(rounds):
        for part in range(3):
            some = [_event(dice, *moments.pop()) for _ in range(6)]
            for name in ("now", "was"):
                project.land(name, f"{number:03}-{part}.csv", text_of(some))
            now.load(some)
            was.load(some)
        runners = [project.start("run") for _ in range(2)]
        time.sleep(dice.uniform(0.3, 1.2))
        dice.choice(runners).send_signal(signal.SIGKILL)
        for runner in runners:
            _, errors = runner.communicate(timeout=120)
            assert "Traceback" not in errors
    assert project.cli("run", "now", "was").code == 0
    assert sorted(project.rows("s.now", "k, n, a")) == sorted(
        (str(key[0]), str(event.seq), event.values[0]) for key, event in now.current().items()
    )
    assert sorted(project.rows("s.was", "k, a, __START_AT s, coalesce(CAST(__END_AT AS VARCHAR), '') e")) == sorted(
        (str(each.key[0]), each.values[0], str(each.start), "" if each.end is None else str(each.end))
        for each in was.versions()
    )


def _event(dice: random.Random, key: int, seq: int) -> Event:
    value = dice.choice("xyz")
    return Event("D", (key,), seq) if dice.random() < 0.3 else Event("U", (key,), seq, (value, value, seq))


def test_two_runners_and_one_is_killed(project: Project) -> None:
    race(project, 2, seed=3)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(10))
def test_many_rounds(project: Project, seed: int) -> None:
    race(project, 8, seed=seed)
