"""Tests of the sandbox: the world, its truth, the judge, and each vendor."""
