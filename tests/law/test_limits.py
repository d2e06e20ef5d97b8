"""When a file has too many bad rows: what is exactly at the limit is not too many."""

from __future__ import annotations

import pytest

from framework.feed import AllBad, Quarantine
from framework.law.verdict import Figures, exceeded
from framework.names import File, Table


@pytest.mark.parametrize(
    ("rows", "ratio", "read", "bad", "reason"),
    [
        (None, None, 10, 10, None),
        (2, None, 10, 2, None),
        (2, None, 10, 3, "3 bad rows are more than quarantine.max_bad_rows (2)"),
        (0, None, 10, 0, None),
        (0, None, 10, 1, "1 bad row is more than quarantine.max_bad_rows (0)"),
        (None, 0.25, 8, 2, None),
        (None, 0.25, 8, 3, "3 bad rows of 8 are more than quarantine.max_bad_ratio (0.25)"),
        (None, 0.1, 10, 1, None),
        (None, 0.0, 10, 0, None),
        (None, 0.0, 10, 1, "1 bad row of 10 is more than quarantine.max_bad_ratio (0)"),
        (None, 1.0, 10, 10, None),
        (None, 0.5, 0, 0, None),
        (3, 0.1, 10, 3, "3 bad rows of 10 are more than quarantine.max_bad_ratio (0.1)"),
        (1, 0.9, 10, 2, "2 bad rows are more than quarantine.max_bad_rows (1)"),
        (5, 0.5, 10, 5, None),
    ],
)
def test_limits(rows: int | None, ratio: float | None, read: int, bad: int, reason: str | None) -> None:
    limits = Quarantine(Table("q"), rows, ratio, all_bad=AllBad.LOAD)
    figures = Figures(File("/a", "a", 1, 1, 1), read, bad)
    assert exceeded(limits, figures) == reason
