"""The example that everybody starts from: user 123 logs in on day 1 and purchases on day 2."""

from __future__ import annotations

__all__ = ["DAYS", "FEED", "SAMPLE", "feed_of_the_example"]

FEED = "user_activity"
SAMPLE = """\
user_id,event,event_time
123,login,2026-01-01 08:00:00
124,login,2026-01-01 08:05:00
125,view,2026-01-01T08:07:30Z
"""
DAYS = {
    "file1.csv": SAMPLE + "abc,login,2026-01-01 08:09:00\n",
    "file2.csv": """\
user_id,event,event_time
123,purchase,2026-01-02 09:30:00
124,login,2026-01-01 08:05:00
126,login,2026-01-02 10:00:00
""",
}
"""What lands on each day, by file name. A row of the first day cannot be loaded."""


def feed_of_the_example(schema: str) -> str:
    """Its feed file; `schema` is the JSON Schema's path from there."""
    return f"""\
# yaml-language-server: $schema={schema}
feed: {FEED}
source:
  path: ${{landing}}/{FEED}/   # files that land here …
  format: csv
schema:                             # … have these columns; rows that do not fit go to a quarantine table
  user_id: bigint
  event: string
  event_time: timestamp
target:
  table: analytics.{FEED}    # … and become rows of this Delta table,
  keys: [user_id]                   # one for each user,
  sequence_by: event_time           # the newest one
"""
