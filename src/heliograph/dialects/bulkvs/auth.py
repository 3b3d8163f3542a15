"""Where user and API key stand in a request: HTTP Basic, as the vendor's portal hands it out.

3CX writes what it is given as its key behind `Bearer`; customers give it the value of their Basic header.
"""

import base64
import binascii
from collections.abc import Mapping

from heliograph.dialects.bulkvs.translate import is_3cx
from heliograph.dialects.dialect import Credentials

SCHEMES: Mapping[str, Mapping[str, str]] = {"basic": {"type": "http", "scheme": "basic"}}


def credentials(headers: Mapping[bytes, bytes], query_string: bytes) -> Credentials | None:
    """User and key, or None when they are not both there.

    >>> credentials({b"authorization": b"Basic c2hvcDoxfGFiYw=="}, b"")
    Credentials(api_key='1|abc', user='shop')
    """
    scheme, _, value = headers.get(b"authorization", b"").strip().partition(b" ")
    scheme = scheme.lower()
    if scheme != b"basic" and not (scheme == b"bearer" and is_3cx(query_string)):
        return None
    try:
        user, _, key = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Credentials(key, user) if user and key else None
