"""One feed, one batch: from what is there to what was done.
Between the two stands a plan, a list of inert steps that both interpreters read:

    execute | explain                   runs the steps · says them
    compile | recording                 facts to steps; pure · what was done, as events for the ledger
    targets | observe | foresee | archiving | world | tables    whether tables that are there can take the rows · reads
                                        the world before the plan · what headers lack and bring · files leave landing …
    reading                             files are opened, with what they bring
"""
