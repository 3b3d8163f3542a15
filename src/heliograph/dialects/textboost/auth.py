"""Where the API key stands in a request: behind `Bearer`, or in the parameter `api_token`, at both roots.

The product's code reads the header at one root and the parameter at the other; its pages print the header at both.
"""

from collections.abc import Mapping

from heliograph.dialects.dialect import Call, Credentials
from heliograph.dialects.parameters import Bag, read_body, read_query

SCHEMES: Mapping[str, Mapping[str, str]] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiToken": {"type": "apiKey", "in": "query", "name": "api_token"},
}


def credentials(headers: Mapping[bytes, bytes], query_string: bytes) -> Credentials | None:
    """The caller's key in the header, or else in the query; None when it is in neither.

    >>> credentials({b"authorization": b"Bearer 49|abc"}, b"").api_key, credentials({}, b"api_token=49%7Cabc").api_key
    ('49|abc', '49|abc')
    """
    scheme, _, key = headers.get(b"authorization", b"").decode("latin-1").strip().partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return Credentials(_with_bar(key))
    return _in_bag(read_query(query_string)) if query_string else None


def credentials_in_body(headers: Mapping[bytes, bytes], body: bytes) -> Credentials | None:
    """The caller's key among the members of a JSON object or the fields of a form."""
    return _in_bag(read_body(headers, body))


def shown_key(call: Call) -> str:
    """The key that a call came with: the store has only its digest."""
    shown = credentials(call.headers, call.query_string) or credentials_in_body(call.headers, call.body)
    return shown.api_key if shown else ""


def _in_bag(bag: Bag) -> Credentials | None:
    key = bag.get("api_token")
    return Credentials(_with_bar(key)) if isinstance(key, str) and key.strip() else None


def _with_bar(key: str) -> str:
    # Some programs encode the bar for an address and send it elsewhere.
    return key.strip().replace("%7C", "|").replace("%7c", "|")
