"""What is being done to a feed, in a few words that are asked for at any time."""

from __future__ import annotations

from framework.plan.compile import Plan
from framework.plan.execute import BatchWork
from framework.steps import Archive, Merge, Stage

__all__ = ["doing"]


def doing(plan: Plan, work: BatchWork) -> str:
    """The task that the batch is at, by those that have taken time already, and what the batch consists of."""
    steps = [step for step in plan.steps if isinstance(step, Stage | Merge | Archive)]
    tasks = [type(step).__name__.lower() for step in steps]
    now = next((task for task in tasks if task not in work.seconds), tasks[-1] if tasks else "clean up")
    files = steps[0].batch.files if steps else ()
    size = sum(file.size for file in files)
    scale, unit = (1e6, "MB") if size >= 1e6 else (1e3, "kB")
    read = f"{work.bytes_read / scale:,.1f} of " if now == "stage" else ""
    return f"{now} {len(files):,} file(s), {read}{size / scale:,.1f} {unit}"
