"""Dagster: a job that loads what has landed, every quarter of an hour, and one for upkeep every night.

A run fails on every exit code but 0; 3 says that files were rejected while all others are loaded.
"""

import json
import os
import subprocess

from dagster import Definitions, Failure, OpExecutionContext, RetryPolicy, ScheduleDefinition, job, op

PROJECT = os.environ.get("LANDFEED_PROJECT", "/srv/landfeed")
LANDFEED = os.environ.get("LANDFEED_COMMAND", f"{PROJECT}/.venv/bin/landfeed")


@op(retry_policy=RetryPolicy(max_retries=2, delay=60))
def load(context: OpExecutionContext) -> None:
    command = [LANDFEED, "run", "--output", "json", "--run-id", context.run_id]
    done = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=False)
    report = json.loads(done.stdout)
    for feed in report.get("feeds", []):
        context.log.info(f"{feed['feed']}: {feed['status']} {feed['rows']}")
    if done.returncode:
        raise Failure(f"landfeed ended with {done.returncode}", allow_retries=done.returncode == 1)


@op
def look_after() -> None:
    subprocess.run([LANDFEED, "maintain"], cwd=PROJECT, check=True)


@job
def landfeed() -> None:
    load()


@job
def landfeed_upkeep() -> None:
    look_after()


defs = Definitions(
    jobs=[landfeed, landfeed_upkeep],
    schedules=[
        ScheduleDefinition(job=landfeed, cron_schedule="*/15 * * * *"),
        ScheduleDefinition(job=landfeed_upkeep, cron_schedule="30 3 * * *"),
    ],
)
