"""Many small files in a bucket, from the listing to the archive, against the tests' emulator.

    python -m benchmarks.gcs [--files 1000] [--latency 0.5] [--pending 10000]

One feed, files of 1 kB, the embedded engine, tables in a local folder. Prints seconds and requests by class; for a
fifth of the files the seconds when each download and move takes `latency` seconds more, from which follows how
many are under way at a time; and the peak memory of `plan` and `stage` with `pending` files. Needs Go, to build
the emulator, which takes its time with more than some thousand objects in a bucket.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from tests.bucket_project import BucketProject
from tests.gcs_server import GcsServer, go, running
from tests.support import HEADER, REPOSITORY

ROWS = 20
SLOW = ("media", "move")


def content(number: int) -> str:
    """A file of about 1 kB."""
    return HEADER + "".join(
        f"{number * ROWS + row},event number {number:06}-{row:02},2026-01-01 10:00:00\n" for row in range(ROWS)
    )


def upload(project: BucketProject, files: int) -> float:
    """Put the files into landing; seconds."""
    store = project.server.client().bucket(project.bucket)

    def put(number: int) -> None:
        store.blob(f"landing/load/{number:06}.csv").upload_from_string(content(number))

    started = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(files)))
    return time.perf_counter() - started


def measured(project: BucketProject, command: str) -> tuple[float, int, dict[str, int]]:
    """Seconds and peak memory in MB of a command as a process, and the requests that it sent by class."""
    project.server.reset_counts()
    runner = [sys.executable, f"{REPOSITORY}/runner.py", "--config", project.path("pipelines_config"), command]
    environ = {**os.environ, "STORAGE_EMULATOR_HOST": project.server.address}
    started = time.perf_counter()
    process = subprocess.Popen(runner, stdout=subprocess.DEVNULL, env=environ)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    counts = {name: count for name, count in project.server.counts().items() if count}
    return time.perf_counter() - started, usage.ru_maxrss // 1024, counts


def project_with(server: GcsServer, folder: str, files: int) -> BucketProject:
    project = BucketProject(folder, server, "load", local_tables=True)
    print(f"({files} files put into the bucket in {upload(project, files):.0f} s)")
    return project


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--files", type=int, default=1000)
    arguments.add_argument("--latency", type=float, default=0.5)
    arguments.add_argument("--pending", type=int, default=10_000)
    options = arguments.parse_args()
    if go() is None:
        print("benchmarks.gcs was left out: there is no Go to build the emulator with")
        return
    with tempfile.TemporaryDirectory(prefix="landfeed-bench-") as folder:
        with running() as server:
            seconds, memory, counts = measured(project_with(server, f"{folder}/quick", options.files), "run")
        print(f"{options.files} files of 1 kB: {seconds:.1f} s, {memory} MB; requests: {counts}")
        with running() as server:
            few = options.files // 5
            project = project_with(server, f"{folder}/slow", few)
            late = [{"operation": name, "delay_seconds": options.latency, "times": -1} for name in SLOW]
            with server.faults(*late):
                seconds, _, _ = measured(project, "run")
        waited = few * len(SLOW) * options.latency
        print(
            f"{few} files, each download and move {options.latency:g} s slower: {seconds:.1f} s for {waited:.0f} s of "
            f"waiting, so at least {waited / seconds:.0f} at a time"
        )
        with running() as server:
            project = project_with(server, f"{folder}/pending", options.pending)
            for command in ("plan", "stage"):
                seconds, memory, _ = measured(project, command)
                print(f"{command} with {options.pending} pending files: {memory} MB, {seconds:.1f} s")


if __name__ == "__main__":
    main()
