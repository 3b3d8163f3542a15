"""Requests that we do not take as they are, and what to say to them (RFC 3261 8.2)."""

from typing import NamedTuple

from heliograph.sip.errors import MessageError
from heliograph.sip.headers import Headers, every, first
from heliograph.sip.messages import Request
from heliograph.sip.sdp import CONTENT_TYPE
from heliograph.sip.uris import read_uri
from heliograph.sip.wire import ALLOW


class Objection(NamedTuple):
    """An answer that says what is wrong."""

    status: int
    headers: Headers = ()


CAPABILITIES: Headers = (("Allow", ALLOW), ("Accept", CONTENT_TYPE))
"""What an answer to OPTIONS says."""


def objection(request: Request) -> Objection | None:
    """What is wrong with a request whatever call it belongs to; None when nothing is."""
    if request.method not in ALLOW.split(", "):
        return Objection(405, (("Allow", ALLOW),))
    try:
        read_uri(request.uri)
    except MessageError as error:
        return Objection(error.status)
    # No extension is spoken here (13.2.2.3); an ACK and a CANCEL cannot be refused for one.
    required = every(request.headers, "Require")
    if required and request.method not in ("ACK", "CANCEL"):
        return Objection(420, (("Unsupported", ", ".join(required)),))
    content_type = (first(request.headers, "Content-Type") or CONTENT_TYPE).partition(";")[0].strip().lower()
    encoding = (first(request.headers, "Content-Encoding") or "identity").lower()
    if request.method == "INVITE" and request.body and (content_type, encoding) != (CONTENT_TYPE, "identity"):
        return Objection(415, (("Accept", CONTENT_TYPE), ("Accept-Encoding", "identity")))
    return None
