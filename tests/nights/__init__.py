"""Whole nights on small worlds, in process, and what the world's truth says of them."""
