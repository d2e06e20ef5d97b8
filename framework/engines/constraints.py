"""What tables ask of the rows that are written to them, and what is said where rows do not fulfil it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framework.engine import CONSTRAINT
from framework.errors import LandfeedError

__all__ = ["constraint_broken", "filled_by_itself"]

_FILLED = ("delta.generationExpression", "delta.identity.start", "CURRENT_DEFAULT")


def filled_by_itself(metadata: Mapping[str, object]) -> bool:
    """Whether a column with this metadata gets a value where none is written: it is generated or has a default."""
    return any(key in metadata for key in _FILLED)


def constraint_broken(table: object, constraints: Sequence[str]) -> LandfeedError:
    """Rows of a batch that a table does not take; `constraints` are those that may have refused them."""
    named = " or ".join(constraints) or "a constraint of it"
    return LandfeedError(
        f"table {table} refuses rows of this batch: they break {named}",
        "say the same in the feed (required, min, max, accepted_values, pattern), so that such rows go to the "
        "quarantine; or drop the constraint. The files stay in landing, and the next run reads them again",
        code=CONSTRAINT,
    )
