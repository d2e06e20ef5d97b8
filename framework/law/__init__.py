"""What data means, above every engine and free of them: pure functions from a feed and texts to rows, reasons and
SQL. Nothing here reads, writes or asks the clock.

    discovery | scd                     which files of a folder count, in which order · what merging a row does
    records                             bytes to records, a reader a format
    rules                               how the text of a record becomes a row, and every reason why it may not
    values | layout | limits | expressions | places    texts to values · headers to columns
    dialects                            how an engine says what the builders need
"""
