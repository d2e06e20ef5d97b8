"""A project with something of everything that pages tell."""

from __future__ import annotations

import os
import time

from tests.support import ACTIVITY, HEADER, Project

__all__ = ["shop"]


def shop(root: str) -> Project:
    """Feeds that are good (with bad rows, and a column that came), late, rejected, and new."""
    project = Project(root, "fresh")
    about = "description: Orders of the <b>shop</b>\nowner: sales@example.com\ntags: [sales]\n"
    checks = "checks: [{name: known, expr: \"event <> 'zz'\", action: quarantine}]\n"
    project.feed("orders", about + ACTIVITY.format(name="orders") + checks + "expect: {every: 1 day, by: '06:00'}\n")
    project.feed("late", ACTIVITY.format(name="late") + "expect: {every: 1 minute}\n")
    project.feed("refused", ACTIVITY.format(name="refused"))
    for day, bad in ((1, 2), (2, 1), (3, 3)):
        rows = "".join(f"{n},buy,2026-01-0{day}{{}}\n" for n in range(day * 10))
        rows += "".join(f"{n},zz,2026-01-0{day}{{}}\n" for n in range(bad)) + "7,private-value,never{}\n"
        header = HEADER if day < 3 else "user_id,event,event_time,channel\n"
        project.land("orders", f"{day}.csv", header + rows.format(*([",web" if day == 3 else ""] * rows.count("{}"))))
        ran = project.cli("run", "orders")
        assert ran.code == 0, ran.document
    project.land("refused", "<i>x.csv", "other\n1\n")
    assert project.cli("run", "refused").code == 3
    file = project.land("late", "a.csv", HEADER + "1,a,2026-01-01\n")
    past = time.time() - 3600
    os.utime(file, (past, past))
    return project
