"""What is done, in plain Python and SQL; when and in which order is `assets/`, with what is `resources/`.

Data flows one way through eight stages, one word each, the same in modules, asset groups, docs and logs:

    extract    systems -> raw_<system>.*          all systems at once, a completeness verdict per read
    stage      raw_<system>.* -> <system>.*       our names, types, units; bad rows to quarantine
    reconcile  <system>.* -> observed, golden, reconcile    who is who, what each value ought to be, the drift
    check      all of the above -> verdicts       what is blocking stops the push of what it covers
    plan       reconcile.drift -> sync.corrections          one row per value to change, explained
    approve    plan -> sync.approvals             policy under caps, a person for the rest
    push       approved corrections -> systems    intent first, then a capped, compare-and-set write
    verify     systems -> sync.verifications, agreed.*      re-read by id; what is confirmed moves the base

Stages never import each other: they meet in tables and in the types of `model`. Nothing here imports
Dagster, reads the wall clock, sleeps or opens a socket: clock, transport and randomness are handed in.
"""
