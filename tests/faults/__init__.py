"""Faults of the network between connector and system, over real sockets: what one process cannot simulate."""
