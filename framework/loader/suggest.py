"""Hints: the word that was probably meant, or the words that there are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean", "one_of"]


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """`did you mean 'keys'?`, None when nothing known is similar."""
    spelt = {name.lower(): name for name in known}
    close = get_close_matches(word.lower()[:100], spelt, n=1, cutoff=0.6)
    return f"did you mean '{spelt[close[0]]}'?" if close else None


def one_of(word: str, known: Iterable[str], most: int = 15) -> str:
    """What was meant, or else the list of what is possible."""
    names = list(known)
    listed = ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
    return did_you_mean(word, names) or (f"there is: {listed}" if names else "there is none")
