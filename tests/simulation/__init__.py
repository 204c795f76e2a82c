"""Whole nights on a deterministic event loop, with seeded faults, judged by what the systems themselves wrote down.

`python -m tests.simulation 1..1000` plays seeds; `play` is one seed, `loop` its time, `faults` and `network` what goes
wrong, `estate` the home that may die and be opened again, `checker` the invariants, `trace` what is kept of a run.
Left out, and tested elsewhere: dlt (tests/test_extract.py), Splink (tests/reconcile/test_persons.py), Great
Expectations (tests/test_check.py) and Dagster (tests/assets).
"""
