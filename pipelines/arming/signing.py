"""One signature for all that a person says: an arming, an answer to a held row, a parting of persons.

A word is a struct; its payload is its JSON, and what is signed are the payload's very bytes, under the name of the
estate: what was said of one estate counts in no other. Who checks decodes the same bytes, so there is no second way of
writing them. Pure: keys are handed in, no table is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from pipelines.arming.keys import Ed25519PrivateKey, Ed25519PublicKey, InvalidSignature, key_id
from pipelines.errors import DataError

_DOMAIN = b"trueup: a person's word, 1"


class Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A word as it is handed over and kept."""

    payload: str
    key_id: str
    signature: str

    @property
    def word_id(self) -> str:
        """The same word said twice is one word."""
        return sha256(self.payload.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key, whose it is, and for which estate it signs."""

    key: Ed25519PrivateKey
    estate: str
    name: str = ""
    """The approver's name in estate.toml; '' for a key that stands for whoever uses it (the built-in one)."""

    def sign(self, word: msgspec.Struct) -> Signed:
        """The word with its signature."""
        payload = msgspec.json.encode(word)
        signature = self.key.sign(signed_bytes(self.estate, payload.decode()))
        return Signed(payload=payload.decode(), key_id=key_id(self.key.public_key()), signature=signature.hex())


@dataclass(frozen=True, slots=True)
class Approver:
    """Whose word counts: a key and what it is for."""

    name: str
    key: Ed25519PublicKey
    may_arm: bool = False
    speaks_for_all: bool = False
    """The built-in key: any author may use it, on loopback."""


@dataclass(frozen=True, slots=True)
class Approvers:
    """All whose words count in an estate, by key id; and keys that do not, with the reason."""

    estate: str
    by_key: Mapping[str, Approver] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)

    def check(self, signed: Signed) -> Approver:
        """Who signed this; DataError where nobody did whose word counts here."""
        if reason := self.refused.get(signed.key_id):
            raise DataError(reason)
        approver = self.by_key.get(signed.key_id)
        if approver is None:
            words = f"it is signed by a key that estate.toml does not name (key {signed.key_id!r}, [approvers])"
            raise DataError(words)
        try:
            signature = bytes.fromhex(signed.signature)
            if signature.hex() != signed.signature:
                raise ValueError("another way of writing it")
            approver.key.verify(signature, signed_bytes(self.estate, signed.payload))
        except (InvalidSignature, ValueError) as error:
            words = f"its signature is not that of {approver.name} over these words for the estate {self.estate!r}"
            raise DataError(words) from error
        return approver

    def check_author(self, signed: Signed, author: str) -> Approver:
        """The same; DataError where the word is said in another's name."""
        approver = self.check(signed)
        if not approver.speaks_for_all and author != approver.name:
            raise DataError(f"it is said in the name of {author!r}, and signed by {approver.name}")
        return approver


def signed_bytes(estate: str, payload: str) -> bytes:
    """What is signed; lengths keep estate and payload apart."""
    name = estate.encode()
    return b"%b\n%d\n%b\n%b" % (_DOMAIN, len(name), name, payload.encode())
