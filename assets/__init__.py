"""When and in which order, in Dagster: thin modules, one per stage, under the stage's word. No SQL, no business here.

`catalogue` says which tables there are and what each reads (from the SQL), `kept` the same of those that no model
fills; `metadata` is what Dagster is told of them, `origins` where their columns come from; `jobs`, `schedules` and
`sensors` say what is run when. `definitions.py` at the root joins them.
"""
