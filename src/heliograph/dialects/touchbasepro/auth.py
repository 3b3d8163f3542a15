"""Where the API key stands in a request.

The vendor's pages disagree: `Authorization: Bearer KEY`, the header `Ocp-Apim-Subscription-Key` or the query
`subscription-key`; the first that holds a key counts. The printed PHP, Python and Ruby samples of the sending page
put the whole value of a header in double quotes.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from heliograph.dialects.dialect import Credentials

SCHEMES: Mapping[str, Mapping[str, str]] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "subscriptionKeyHeader": {"type": "apiKey", "in": "header", "name": "Ocp-Apim-Subscription-Key"},
    "subscriptionKeyQuery": {"type": "apiKey", "in": "query", "name": "subscription-key"},
}


def credentials(headers: Mapping[bytes, bytes], query_string: bytes) -> Credentials | None:
    """The caller's key, or None when none is given.

    >>> credentials({b"authorization": b'"Bearer 1|abc"'}, b"")
    Credentials(api_key='1|abc', user=None)
    """
    key = _key(headers, query_string)
    return None if key is None else Credentials(key)


def _key(headers: Mapping[bytes, bytes], query_string: bytes) -> str | None:
    authorization = headers.get(b"authorization")
    if authorization:
        scheme, _, key = _unquoted(authorization).partition(" ")
        if key and scheme.lower() == "bearer":
            return key.strip()
    subscription = headers.get(b"ocp-apim-subscription-key")
    if subscription:
        return _unquoted(subscription) or None
    if b"subscription-key=" in query_string:
        return dict(parse_qsl(query_string.decode("latin-1"))).get("subscription-key")
    return None


def _unquoted(value: bytes) -> str:
    text = value.decode("latin-1").strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].strip()
    return text
