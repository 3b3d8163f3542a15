"""Digest authentication (RFC 7616, RFC 8760)."""

from typing import NamedTuple


class Credentials(NamedTuple):
    """What a carrier gave us to prove ourselves with."""

    user: str
    password: str
