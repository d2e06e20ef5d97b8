"""One feed, one batch: from what is there to what was done.
Between the two stands a plan, a list of inert steps that both interpreters read:

    execute | explain                   runs the steps · says them
    compile                             facts to steps; pure
    observe                             the only reader of the world before the plan
"""
