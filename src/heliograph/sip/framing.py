"""Cutting a TCP or TLS stream into messages (RFC 3261 18.3) and pings (RFC 5626 3.5.1)."""

import re
from typing import Final

from heliograph.sip.errors import MessageError
from heliograph.sip.messages import MOST_OCTETS

_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_LENGTH: Final = re.compile(rb"\n(?:content-length|l)[ \t]*:[ \t\r\n]*([0-9]{1,9})[ \t]*\r?\n", re.IGNORECASE)

PING: Final = b"\r\n\r\n"
PONG: Final = b"\r\n"


class Framing:
    """What came of a stream and is not yet a whole message."""

    def __init__(self) -> None:
        self._rest = b""
        self._looked_at = 0

    def take(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes; `PING` among them asks for a `PONG`.

        MessageError when no more messages can be told apart: close the connection.
        """
        self._rest += data
        pieces: list[bytes] = []
        while (piece := self._next()) is not None:
            pieces.append(piece)
        if len(self._rest) > MOST_OCTETS:
            raise MessageError("the message is too large", 513)
        return pieces

    def _next(self) -> bytes | None:
        if self._rest.startswith(b"\r\n"):
            return self._between_messages()
        end = _HEAD_END.search(self._rest, max(0, self._looked_at - 3))
        if end is None:
            self._looked_at = len(self._rest)
            return None
        length = _LENGTH.search(self._rest, 0, end.end())
        if length is None:
            raise MessageError("Content-Length is missing, and a stream needs it")
        size = end.end() + int(length[1])
        if size > MOST_OCTETS:
            raise MessageError("the message is too large", 513)
        if size > len(self._rest):
            return None
        piece, self._rest, self._looked_at = self._rest[:size], self._rest[size:], 0
        return piece

    def _between_messages(self) -> bytes | None:
        """Two line ends are a ping; a lone one is passed over, once it is clear that no second follows."""
        if self._rest.startswith(PING):
            self._rest = self._rest[len(PING) :]
            return PING
        if len(self._rest) < len(PING) and PING.startswith(self._rest):
            return None
        self._rest = self._rest[len(PONG) :]
        return self._next()
