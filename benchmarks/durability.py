"""What it costs that a batch's files are synced before its files leave landing: `durability: sync` beside `none`.

    python -m benchmarks.durability [--rows 10000000] [--repeat 3] [--small 15]

Both load the same days in turn, so that what the machine does besides falls on both: day 1 has `rows` rows, day 2 a
fifth of that. `--small` runs load a file of two rows each into one feed. Seconds are wall time; before each process all
that others have written is on disk.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile

from benchmarks.load import FEED, REPOSITORY, day_files, make_project, timed

MODES = ("sync", "none")


def project(folder: str, mode: str) -> tuple[str, list[str]]:
    """A project of this durability: its landing folder, and the command that loads what is there."""
    landing = make_project(folder, FEED)
    config = f"{folder}/project/pipelines_config"
    with open(f"{config}/environments/local.yml", "a", encoding="utf-8") as environment:
        environment.write(f"\ndurability: {mode}\n")
    return landing, [sys.executable, f"{REPOSITORY}/runner.py", "--config", config, "run"]


def large(folder: str, rows: int, repeat: int) -> None:
    """Loads of many rows."""
    sources = day_files(folder, rows)
    seconds: dict[tuple[str, int], list[float]] = {}
    for turn in range(repeat):
        for mode in MODES if turn % 2 == 0 else MODES[::-1]:
            landing, command = project(f"{folder}/{mode}", mode)
            for day, source in enumerate(sources):
                shutil.copy(source, landing)
                seconds.setdefault((mode, day), []).append(timed(command)[0])
            shutil.rmtree(f"{folder}/{mode}")
    for day in (0, 1):
        told(f"{rows:,} rows, day {day + 1}", *(seconds[mode, day] for mode in MODES))


def small(folder: str, runs: int) -> None:
    """Loads of two rows."""
    made = {mode: project(f"{folder}/small-{mode}", mode) for mode in MODES}
    seconds: dict[str, list[float]] = {mode: [] for mode in MODES}
    for number in range(runs):
        for mode, (landing, command) in made.items():
            with open(f"{landing}/{number}.csv", "w", encoding="utf-8") as out:
                out.write(
                    f"user_id,event,amount,ts,country,note\n{number},a,1.00,2026-01-01,IT,x\n0,b,1.00,2026-01-02,IT,y\n"
                )
            seconds[mode].append(timed(command)[0])
    told("two rows", *(seconds[mode] for mode in MODES))


def told(what: str, sync: list[float], none: list[float]) -> None:
    """Medians, spreads, and the median of the ratios of neighbours."""
    ratio = statistics.median(one / other for one, other in zip(sync, none, strict=True))
    spread = "; ".join(
        f"{mode} {statistics.median(each):.2f} s ({min(each):.2f}-{max(each):.2f})"
        for mode, each in zip(MODES, (sync, none), strict=True)
    )
    print(f"{what}: {spread}; ratio {ratio:.3f}", flush=True)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=10_000_000)
    arguments.add_argument("--repeat", type=int, default=3)
    arguments.add_argument("--small", type=int, default=15)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="landfeed-bench-") as folder:
        if options.rows:
            large(folder, options.rows, options.repeat)
        if options.small:
            small(folder, options.small)


if __name__ == "__main__":
    main()
