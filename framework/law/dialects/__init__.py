"""Dialects: how an engine says the few dozen things that the law's expressions are made of.

A dialect is a value: builders take one and never ask which it is. What all engines say alike stands in the
builders themselves. `DUCKDB` is for the embedded engine, `SPARK` for Spark, `DATAFUSION` for the predicates that
delta-rs evaluates.
"""

from framework.law.dialects.base import Dialect, Words
from framework.law.dialects.datafusion import DATAFUSION
from framework.law.dialects.duckdb import DUCKDB
from framework.law.dialects.spark import SPARK

__all__ = ["DATAFUSION", "DUCKDB", "SPARK", "Dialect", "Words"]
