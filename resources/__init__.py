"""With what: connections, credentials, the clock. Knows `pipelines`; nothing here knows the assets or the sandbox.

    channels    the only reader of the environment: folders, the estate, credentials, sessions
    warehouse   the only place that opens DuckDB files
    clock       the only reader of the machine's time
    workplace   all of these opened together, for as long as one run lasts
    asked       the closed sets of words by which a run can be narrowed
    embedded    the sandbox's estate, where no other is named and `trueup` did not start the run
    night       the same as a Dagster resource
"""
