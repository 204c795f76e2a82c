"""Laws over generated worlds."""
