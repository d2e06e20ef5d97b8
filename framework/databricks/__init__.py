"""Databricks: the bundle that runs all feeds as one job."""
