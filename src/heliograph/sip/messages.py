"""Requests and responses: read tolerantly within bounds, written strictly (RFC 3261 7)."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """headers: full names in the standard's spelling, unfolded values, in order."""

    method: str
    uri: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """See Request."""

    status: int
    phrase: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


Message: TypeAlias = Request | Response
