"""What users of every other tool suffer, one test module a pain, named by its rank and in its own words.

Ranks and threads are those of the field study of public issue trackers, 2026; the threads are cited where the pain is
tested. The rule itself is proven at length elsewhere: here it stands once more, small. `switches.toml` says for each
what to break so that it turns red; `make pains` does it. Which pains are not here, and why, is in `docs/pains.md`.
"""
