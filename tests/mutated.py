"""What `make mutants` tells: how many changes of the core its own tests notice, and which they do not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping

__all__ = ["ALLOWED", "score"]

ALLOWED = 5.0
"""Percent of changes that may go unnoticed: many of them change nothing, such as a default that is always given."""
NOTICED = ("killed", "timeout", "segfault", "suspicious")
UNNOTICED = ("survived", "no_tests")


def score(stats: Mapping[str, int]) -> tuple[int, int]:
    """How many changes were noticed, and how many were judged: those that were not asked for are neither."""
    noticed = sum(stats.get(name, 0) for name in NOTICED)
    return noticed, noticed + sum(stats.get(name, 0) for name in UNNOTICED)


def main() -> int:
    with open("mutants/mutmut-cicd-stats.json", encoding="utf-8") as file:
        noticed, judged = score(json.load(file))
    found = subprocess.run([sys.executable, "-m", "mutmut", "results"], check=True, capture_output=True, text=True)
    sys.stdout.writelines(f"{line.strip()}\n" for line in found.stdout.splitlines() if not line.endswith("not checked"))
    unnoticed = 100 * (judged - noticed) / judged if judged else 100.0
    sys.stdout.write(f"{noticed:,} of {judged:,} changes were noticed; {unnoticed:.1f} % were not\n")
    return 0 if unnoticed <= ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
