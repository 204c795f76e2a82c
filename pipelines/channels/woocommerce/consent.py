"""What a newsletter plugin writes for yes and no: pairs of words, since each plugin has its own.

The stage model `consents.sql` knows the same pairs. An answer that is no word of these is unknown, which is not a yes.
"""

PAIRS = {"yes": "no", "1": "0", "true": "false", "on": "off", "subscribed": "unsubscribed"}
"""The word for no, by the word for yes."""


def state_of(value: object) -> str:
    """yes, no or unknown."""
    word = _word(value)
    return "yes" if word in PAIRS else "no" if word in PAIRS.values() else "unknown"


def denial_of(value: object) -> str:
    """The word for no beside what is held now, in the plugin's own words.

    >>> denial_of("1"), denial_of("Subscribed"), denial_of("")
    ('0', 'unsubscribed', 'no')
    """
    return PAIRS.get(_word(value), "no")


def _word(value: object) -> str:
    return str(value).strip().lower() if isinstance(value, str | int | bool) else ""
