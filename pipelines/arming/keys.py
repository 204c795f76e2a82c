"""Keys of approvers: Ed25519, by `cryptography`. Public ones are settings; a private one is a file of its owner's.

Also which addresses are on loopback: the sandbox's built-in key counts for no other. Nothing is drawn, and no file is
opened here: who makes a key (`cli`) or finds one (`resources.signers`) does that.
"""

import re
from hashlib import sha256
from ipaddress import AddressValueError, IPv4Address
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from pipelines.errors import ConfigurationError

PREFIX = "ed25519:"
_TEXT = re.compile(PREFIX + "[0-9a-f]{64}")
_PLACE = re.compile(r"(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost|\[::1\])(:\d{1,5})?")

__all__ = [
    "Ed25519PrivateKey", "Ed25519PublicKey", "InvalidSignature", "is_loopback", "key_id", "private_file",
    "private_from", "public_from", "public_text",
]


def public_text(key: Ed25519PublicKey) -> str:
    """A public key as it stands in estate.toml: `ed25519:` and 64 hex digits."""
    return PREFIX + key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def public_from(text: str) -> Ed25519PublicKey:
    """The key of such a text; ValueError where it is none."""
    if not _TEXT.fullmatch(text):
        raise ValueError(f"not a public key; allowed: {PREFIX} and 64 hex digits, as `trueup keygen` prints it")
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text.removeprefix(PREFIX)))


def key_id(key: Ed25519PublicKey) -> str:
    """A short name of a public key: the first 16 hex digits of its SHA-256."""
    return sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def private_file(key: Ed25519PrivateKey, passphrase: str = "") -> bytes:
    """A private key as the content of a file (PEM, PKCS 8), encrypted where there is a passphrase."""
    lock = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


def private_from(content: bytes, passphrase: str, *, where: str) -> Ed25519PrivateKey:
    """The key in such a file; ConfigurationError where it cannot be read, with what to do."""
    try:
        key = load_pem_private_key(content, passphrase.encode() or None)
    except TypeError as error:
        cure = "set TRUEUP_SIGNING_PASSPHRASE" if not passphrase else "leave TRUEUP_SIGNING_PASSPHRASE unset"
        raise ConfigurationError(f"{where}: {str(error).rstrip('.').lower()}: {cure}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        cause = "no private key, or the passphrase is another" if passphrase else "not a private key in PEM"
        raise ConfigurationError(f"{where}: {cause}; `trueup keygen` makes one") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{where}: a key of another kind than Ed25519; `trueup keygen` makes one")
    return key


def is_loopback(address: str) -> bool:
    """Whether this is an HTTP address on this machine itself, written so that nobody can read it otherwise.

    >>> [is_loopback(a) for a in ("http://127.0.0.1:8765/square", "http://127.0.0.1@shop.example", "file:///drops")]
    [True, False, False]
    """
    if "\\" in address or any(letter.isspace() for letter in address):
        return False
    try:
        parts = urlsplit(address)
        place = _PLACE.fullmatch(parts.netloc.lower())
        if place and place[1].startswith("127."):
            IPv4Address(place[1])
    except (ValueError, AddressValueError):
        return False
    return place is not None and parts.scheme in ("http", "https")
