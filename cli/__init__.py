"""The command line `trueup`: thin commands over the same jobs, tables and files as the UI.

    main       the commands and their options
    scoping    the options that narrow a run, held to what there is
    home       where a run finds its folders, and the embedded estate where no other is named
    outside    the sandbox as a child process, shared by the commands that use it at the same time
    screen     what a person sees: results on stdout, progress on stderr
    runs       launches Dagster jobs in this process, with progress
    night      sync, plan, push, verify, adopt, day, judge, ui
    summary    what a night did, for a person to read
    questions  status and why: no Dagster, from the snapshot
    examine    doctor: what is not ready
    answers    approve, reject, accept-theirs, pin, decide: files dropped in the inbox
    unmerge    parting records that are not one person, and taking that back: files too
    rollback   undoing what a plan wrote: shown, ordered by a file, carried out by a run of its own
    stopping   stop and go: the kill switch
"""
