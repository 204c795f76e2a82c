"""The night's report: one self-contained HTML file that a merchandiser and a data engineer read at 7 in the morning.

Reads ledger.sync.* and observed.items; writes one file. No script, no link out, a content policy that allows none,
every value escaped, personal values masked. `facts` asks, `page` writes, `charts` draws, `mask` hides. Nothing is
imported here: `mask` serves commands that have no time to load the page's template engine.
"""
