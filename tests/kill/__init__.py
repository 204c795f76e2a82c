"""Real processes that die, stand still and get in each other's way, judged by the systems' own log (`make kill`).

A few of them are in the ordinary suite (`test_few.py`); all others bear the mark `kill`.
"""
