"""The SQL of delta-rs' predicates and assignments, which DataFusion reads."""

from __future__ import annotations

from framework.law.dialects.base import Words

__all__ = ["DATAFUSION"]


class _DataFusion(Words):
    sqlglot = "datafusion"


DATAFUSION = _DataFusion()
