"""Addresses that nobody can guess and that end by themselves: what a file is called outside, signed with a key.

A link's name holds when it ends, the digest of the file and a signature over both, so that nothing of it is stored.
Pure: the key and the time are arguments.
"""

import base64
import binascii
import hmac
from hashlib import sha256
from typing import Final

NAME_CHARS: Final = 92
KEY_OCTETS: Final = 32
_TIME_OCTETS: Final = 5
_DIGEST_OCTETS: Final = 32
_SIGNED_OCTETS: Final = _TIME_OCTETS + _DIGEST_OCTETS
# The key of an installation signs different things.
_PURPOSE: Final = b"media link 1\0"
_CALLBACK: Final = b"carrier callback 1\0"


def name_of(digest: str, *, expires_at_s: int, key: bytes) -> str:
    """The name of a link. digest: 64 hexadecimal digits. expires_at_s: seconds since 1970 UTC, the last good one.

    >>> len(name_of("00" * 32, expires_at_s=1_800_000_000, key=bytes(32)))
    92
    """
    octets = bytes.fromhex(digest)
    if len(octets) != _DIGEST_OCTETS or len(key) < KEY_OCTETS:
        raise ValueError("a digest is 64 hexadecimal digits, and a key at least 32 octets")
    signed = expires_at_s.to_bytes(_TIME_OCTETS, "big") + octets
    return base64.urlsafe_b64encode(signed + _signature(signed, key)).decode()


def digest_in(name: str, *, now_s: int, key: bytes) -> tuple[str, int] | None:
    """The digest that a name stands for and until when, or None for one that is not ours or has ended.

    >>> name = name_of("ab" * 32, expires_at_s=100, key=bytes(32))
    >>> digest_in(name, now_s=100, key=bytes(32)) == ("ab" * 32, 100), digest_in(name, now_s=101, key=bytes(32))
    (True, None)
    """
    if len(name) != NAME_CHARS:
        return None
    try:
        octets = base64.b64decode(name.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    if len(octets) != _SIGNED_OCTETS + sha256().digest_size:
        return None
    signed, signature = octets[:_SIGNED_OCTETS], octets[_SIGNED_OCTETS:]
    # Checked in constant time, and before anything in it is believed.
    if not hmac.compare_digest(signature, _signature(signed, key)):
        return None
    expires_at_s = int.from_bytes(signed[:_TIME_OCTETS], "big")
    return None if now_s > expires_at_s else (signed[_TIME_OCTETS:].hex(), expires_at_s)


def callback_signature(carrier: str, *, key: bytes) -> str:
    """What the address at which a carrier calls us ends with, so that nobody else can. carrier: its name.

    >>> len(callback_signature("north", key=bytes(32)))
    32
    """
    return base64.urlsafe_b64encode(hmac.digest(key, _CALLBACK + carrier.encode(), sha256)[:24]).decode()


def _signature(signed: bytes, key: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + signed, sha256)
