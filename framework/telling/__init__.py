"""Telling: who is not looking hears what runs did.
Nothing here can fail a run: what goes wrong becomes a sentence:

    told                                what the end of a run sets off
    reports                             a JSON document of every run
"""

from framework.telling.told import Told, tell_failure, tell_run

__all__ = ["Told", "tell_failure", "tell_run"]
