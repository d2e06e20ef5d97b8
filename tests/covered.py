"""What `make coverage` tells: the modules of which the tests without Spark reach less than they should, and why."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping

from coverage import Coverage

__all__ = ["report"]

ENOUGH = 95.0
"""Percent of the lines and branches of a module."""
WHY: dict[str, str] = {}
"""The modules that need not reach so much, each with the reason."""


def report(found: Mapping[str, float], why: Mapping[str, str] = WHY) -> Iterator[tuple[bool, str]]:
    """A line for every module below `ENOUGH` percent, and for each one with a reason that it does not need (any more);
    whether it is as it should be."""
    for module, percent in sorted(found.items(), key=lambda each: (each[1], each[0])):
        if percent < ENOUGH:
            reason = why.get(module)
            yield (
                reason is not None,
                f"{percent:5.1f} %  {module}: {reason or 'no reason is stated in tests/covered.py'}",
            )
    for module in why:
        if found.get(module, ENOUGH) >= ENOUGH:
            yield False, f"{module} needs no reason: take it out of tests/covered.py"


def measured() -> tuple[dict[str, float], float]:
    """Percent by module, and of all."""
    coverage = Coverage()
    coverage.load()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "coverage.json")
        coverage.json_report(outfile=path)
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    files = document["files"].items()
    return {name: each["summary"]["percent_covered"] for name, each in files}, document["totals"]["percent_covered"]


def main() -> int:
    found, total = measured()
    lines = list(report(found))
    sys.stdout.writelines(f"{line}\n" for _, line in lines)
    enough = sum(percent >= ENOUGH for percent in found.values())
    sys.stdout.write(f"{total:.1f} % of {len(found)} modules; {enough} of them reach {ENOUGH:g} %\n")
    return 0 if all(good for good, _ in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
