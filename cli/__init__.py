"""The command line `trueup`: thin commands over the same jobs, tables and files as the UI.

    main       the commands and their options
    scoping    the options that narrow a run, held to what there is
    home       where a run finds its folders, and the embedded estate where no other is named
    outside    the sandbox as a child process
    runs       launches Dagster jobs in this process, with progress
    night      sync, plan, push, verify, adopt, day, judge, ui
    summary    what a night did, for a person to read
    questions  status, why, doctor: no Dagster, from the snapshot
    answers    approve, reject, accept-theirs, pin, decide: files dropped in the inbox
"""
