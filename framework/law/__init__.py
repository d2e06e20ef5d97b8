"""What data means, above every engine and free of them: pure functions from a feed and texts to rows, reasons and
SQL. Nothing here reads, writes or asks the clock.

    discovery | merging                 which files of a folder count, in which order · a change as SQL
    rules | change                      how the text of a record becomes a row, and every reason why it may not ·
                                        what a merge does to every row, and what its figures mean
    values | records | layout | limits | expressions | places    texts to values · bytes to records · headers to columns
    dialects                            how an engine says what the builders need
"""
