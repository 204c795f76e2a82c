"""Tests of the guards R1-R22 that have no other place, by number; `switches.toml` says how each guard is broken."""
