"""Landfeed in a process with limits of its own (environment LIMITS, as in `FSIZE=200000 NOFILE=16`)."""

from __future__ import annotations

import os
import resource

for limit in os.environ["LIMITS"].split():
    name, _, value = limit.partition("=")
    resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (int(value), int(value)))

from framework.cli import main  # noqa: E402 (what is imported has the limits too)

main()
