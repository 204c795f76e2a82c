"""The vendors' own descriptions, held against every exchange of the tests: what may be said, not what is meant."""
