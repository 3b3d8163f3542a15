"""Signatures by which a receiver knows that a call is ours: Standard Webhooks 1.0, symmetric."""

import base64
import hmac
from hashlib import sha256

PREFIX = "whsec_"


def new_secret(random_bytes: bytes) -> str:
    """A webhook's secret as customers see it. random_bytes: 24 to 64 of them.

    >>> new_secret(bytes(24))
    'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    """
    if not 24 <= len(random_bytes) <= 64:
        raise ValueError(f"a secret is made of 24 to 64 random bytes, not {len(random_bytes)}")
    return PREFIX + base64.b64encode(random_bytes).decode()


def sign(secret: str, body: bytes, *, identifier: str, timestamp_s: int) -> str:
    """The value of `webhook-signature` for one call. timestamp_s: of this try, seconds since 1970 UTC."""
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    signed = b"%s.%d.%s" % (identifier.encode(), timestamp_s, body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, sha256)).decode()
