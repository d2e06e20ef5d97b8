"""Many feeds: what landing folders hold, who runs when, and what is told of it.
A run takes a project and a world, and gives a report for each feed:

    rebuild | quarantined               a target made anew from its archive, and put into the old one's place · records
                                        of the quarantine, loaded once more
    casetest | replay | upkeep          a feed's own cases are run: what files give, against what they should · files
                                        of the archive, loaded again · what gathers over the days
    views | quarantine | doctor | watch | world   what `status` and `history` show · why rows are bad · what is wrong
                                        with the machine · stays and runs feeds · what a run works with
    run                                 feeds side by side
    feed_run                            one feed's turn under its lease, batch after batch
    freshness                           whether data has come when it was expected
    bad_records                         what the quarantine holds of each file
    options | doing | landing | recording | events | arrivals | remembered | cases | archives | dropping   what a run
                                        is asked to do · what is being done, in a few words · what folders hold, looked
                                        at once · the ledger is told of many feeds at a time · what `watch` tells · when
                                        files are quiet · what is asked of the ledger before a run begins · a feed's own
                                        cases · what archives hold · tables are removed
"""
