"""What data means, above every engine and free of them: pure functions from a feed and texts to rows, reasons and
SQL. Nothing here reads, writes or asks the clock.

    staging                             how records become rows, and rows staging and the quarantine
    discovery | scd                     which files of a folder count, in which order · what merging a row does
    rules                               how the text of a record becomes a row, and every reason why it may not
    values | records | layout | verdict | expressions | places    texts to values · bytes to records · headers to
                                        columns · figures to what becomes of rows and files
    dialects                            how an engine says what the builders need
"""
