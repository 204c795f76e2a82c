"""When and in which order, in Dagster: thin modules, one per stage, under the stage's word. No SQL, no business here.

`catalogue` says which tables there are and what each reads (from the SQL); `metadata` what Dagster is told of them;
`jobs`, `schedules` and `sensors` what is run when. `definitions.py` at the root joins them.
"""
