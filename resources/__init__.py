"""With what: connections, credentials, the clock. Knows `pipelines`; nothing here knows the assets or the sandbox.

    settings    the only reader of the environment: folders, the estate file, credentials
    channels    the estate's channels and their sessions
    warehouse   opens DuckDB files for writing; `copies` the read copy of the ledger; nothing else opens any
    signers     whose signed words count, and the key that this process signs with
    private     whether a file is its owner's alone
    clock       the only reader of the machine's time
    workplace   all of these opened together, for as long as one run lasts
    asked       the closed sets of words by which a run can be narrowed
    embedded    the sandbox's estate, where no other is named and `trueup` did not start the run
    approving   takes in what people said, and approves what is armed
    night       the same as a Dagster resource
"""
