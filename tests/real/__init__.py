"""Tests against real servers: each runs where the environment names its server, and skips with a message elsewhere."""
