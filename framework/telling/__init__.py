"""Telling: who is not looking hears what runs did.
Nothing here can fail a run: what goes wrong becomes a sentence:

    told                                what the end of a run sets off
    live                                lineage, sent when work begins and when it is over
    hooks | reports | metrics | lineage | traces   webhooks, once for each change · a JSON document of every run · for
                                        Prometheus · OpenLineage · OpenTelemetry
    messages | posting                  what they take · requests with a time limit
    changes                             what is new about feeds
"""

from framework.telling.told import Told, live_lineage, tell_failure, tell_freshness, tell_run

__all__ = ["Told", "live_lineage", "tell_failure", "tell_freshness", "tell_run"]
