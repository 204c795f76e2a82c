"""What a newsletter plugin writes for yes and no: pairs of words, since each plugin has its own.

The word for no is what most plugins keep for everybody who left a box unticked, so it is nobody's withdrawal unless the
estate says so (option `consent_no_words`): else it is unknown, as is any other word. Neither is a yes. The stage model
`consents.sql` knows the same words.
"""

PAIRS = {"yes": "no", "1": "0", "true": "false", "on": "off", "subscribed": "unsubscribed"}
"""The word for no, by the word for yes."""
NO_WORDS = frozenset({"unsubscribed"})
"""What is a withdrawal by itself."""


def state_of(value: object, no_words: frozenset[str]) -> str:
    """yes, no or unknown; `no_words` are those that mean a withdrawal."""
    word = _word(value)
    return "no" if word in no_words else "yes" if word in PAIRS else "unknown"


def denial_of(value: object) -> str:
    """The word for no beside what is held now, in the plugin's own words.

    >>> denial_of("1"), denial_of("Subscribed"), denial_of("")
    ('0', 'unsubscribed', 'no')
    """
    return PAIRS.get(_word(value), "no")


def is_denied(value: object, planned: object) -> bool:
    """Whether an account holds the word for no that is written where it held what was planned for."""
    return _word(value) == denial_of(planned)


def _word(value: object) -> str:
    return str(value).strip().lower() if isinstance(value, str | int | bool) else ""
