"""Tests; `tests.conftest` has what they share."""
