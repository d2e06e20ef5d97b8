"""Airflow: a task for each feed, every quarter of an hour, and upkeep every night. Copy it into the folder of the DAGs.

A task fails on every exit code but 0; 3 says that files were rejected while all others are loaded. It may be repeated:
what is done is not done twice.
"""

import os
from datetime import datetime, timedelta

from airflow import DAG

try:
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:  # before Airflow 3
    from airflow.operators.bash import BashOperator

PROJECT = os.environ.get("LANDFEED_PROJECT", "/srv/landfeed")
LANDFEED = os.environ.get("LANDFEED_COMMAND", f"{PROJECT}/.venv/bin/landfeed")
FEEDS = ["user_activity"]
FIRST = datetime(2026, 1, 1)  # noqa: DTZ001 (Airflow takes it for UTC)
AGAIN = {"retries": 2, "retry_delay": timedelta(minutes=1)}


def landfeed(task: str, arguments: str) -> BashOperator:
    command = f"{LANDFEED} {arguments} --log-format json --run-id '{{{{ run_id }}}}/{task}'"
    return BashOperator(task_id=task, bash_command=command, cwd=PROJECT, append_env=True)


with DAG("landfeed", schedule="*/15 * * * *", start_date=FIRST, catchup=False, max_active_runs=1, default_args=AGAIN):
    for feed in FEEDS:
        landfeed(feed, f"run {feed}")

with DAG("landfeed_upkeep", schedule="30 3 * * *", start_date=FIRST, catchup=False, default_args=AGAIN):
    BashOperator(task_id="maintain", bash_command=f"{LANDFEED} maintain", cwd=PROJECT, append_env=True)
