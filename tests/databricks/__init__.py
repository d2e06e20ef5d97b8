"""Tests of the bundle, and of what a run on Databricks can know."""
