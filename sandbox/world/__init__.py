"""A deterministic French retailer who lives in four systems that drift apart, and the truth about it.

`create_world` fills an empty store: catalogue, prices, stock, persons, consents, 90 days of orders. `live_day` lets one
day go by, with drift of every class. Both write `<dir>/truth/night_<n>.jsonl`: what the next night must find. The
world speaks to the vendors by `sandbox.vendor.Vendor` alone, and knows nothing of the pipeline.
"""
