"""Landfeed in a process that ends by writing what it took to the file MEASURED: seconds of processor time, and the
most memory in bytes, each with that of the processes it started."""

from __future__ import annotations

import json
import os
import re
import resource
import time

from framework.cli import main

try:
    main()
finally:
    # getrusage would count the memory of the process that started this one.
    with open("/proc/self/status", encoding="ascii") as status:
        most = re.search(r"VmHWM:\s*(\d+) kB", status.read())
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = time.process_time() + children.ru_utime + children.ru_stime
    with open(os.environ["MEASURED"], "w", encoding="utf-8") as file:
        json.dump([seconds, (int(most.group(1)) if most else 0) + children.ru_maxrss << 10], file)
