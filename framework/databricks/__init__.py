"""Databricks: the bundle that runs all feeds as one job.

    environments with a `databricks` block ──job──▶ a job each ──bundle──▶ two documents ──files──▶ written, or compared

`job` says what a target's job is like, `bundle` puts what the targets have in common into the job's file and the
rest into `databricks.yml`, `lint` finds what neither the Databricks CLI nor the Jobs API would tell, `folder` knows
the project around them, `files` knows YAML.
"""

from framework.databricks.files import BUNDLE_FILE, JOB_FILE, State, compare, write
from framework.databricks.make import make_bundle, unwatched

__all__ = ["BUNDLE_FILE", "JOB_FILE", "State", "compare", "make_bundle", "unwatched", "write"]
