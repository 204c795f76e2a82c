"""The one error of the real estate that is no failure: something that it needs is not to be had on this machine."""


class Missing(Exception):
    """A package or a program that cannot be had here; the message says which, and what would help."""
