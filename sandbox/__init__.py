"""The outside world, played: the vendors' APIs on loopback over one SQLite file, and a retailer that lives in them.

Imports nothing of the pipeline and is reached over HTTP alone. `world` knows the truth; vendors only serve it.
"""
