"""JSON as vendors send it, made such that every parser takes it: what is broken costs its own row, never its page.

Works on bytes and knows no vendor. What it leaves in the place of a broken value is no sound one, so that stage sends a
row that needs the value to quarantine.
"""

import re

import msgspec

from pipelines.errors import FatalChannelError

MOST_DEEP = 100
"""How deeply an answer may be nested; none of ours needs a fifth of it."""
MOST_BRACKETS = 1_000_000
"""So many lists and objects of an answer that is too deep are gone through to cut it; 64 MB of them take a minute."""
_BRACKET = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
"""A text, or what opens or closes a list or an object."""
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def readable(body: bytes, *, system: str = "") -> bytes:
    """JSON with whole characters and of a depth that can be read; what is no JSON at all stays as it is.

    FatalChannelError for one that is too deep and too large to be cut.
    """
    return _shallow(_whole_characters(body), system)


def _whole_characters(body: bytes) -> bytes:
    """With the control character SUB for half a character (a lone surrogate: a text that was cut in an emoji)."""
    if b"\\ud" not in body and b"\\uD" not in body:
        return body
    return _ESCAPE.sub(lambda escape: b"\\u001a" if escape[1] else escape[0], body)


def _shallow(body: bytes, system: str) -> bytes:
    """With nothing in the lists and objects that are nested beyond MOST_DEEP, where it is too deep for a parser."""
    brackets = body.count(b"[") + body.count(b"{")
    if brackets <= MOST_DEEP:
        return body
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except RecursionError:
        if brackets > MOST_BRACKETS:
            words = f"the answer is too deep to be read, and has more than {MOST_BRACKETS} lists and objects"
            raise FatalChannelError(words, system=system) from None
        return _cut(body)
    except msgspec.DecodeError:
        pass  # for whoever reads it to say so
    return body


def _cut(body: bytes) -> bytes:
    kept, start, depth = [], 0, 0
    for found in _BRACKET.finditer(body):
        if found[0] in (b"[", b"{"):
            depth += 1
            if depth == MOST_DEEP + 1:
                kept.append(body[start : found.end()])
                start = len(body)
        elif found[0] in (b"]", b"}"):
            if depth == MOST_DEEP + 1:
                start = found.start()
            depth -= 1
    return b"".join(kept) + body[start:]
