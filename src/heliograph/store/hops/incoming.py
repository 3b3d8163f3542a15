"""Incoming messages: stored before the carrier is acknowledged."""

import sqlite3
from typing import NamedTuple

from heliograph.store.engine import Hop


class IncomingMessage(NamedTuple):
    """The row of a short message from a handset."""

    incoming_id: int
    carrier_id: int
    sender: str
    recipient: str
    encoding: int
    body: bytes
    text: str
    received_at_ms: int


_TAKE_IN = """
insert into incoming(account_id, id, carrier_id, sender, recipient, encoding, body, text, received_at_ms)
values (0, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def _take_in(connection: sqlite3.Connection, requests: list[list[IncomingMessage]]) -> list[None]:
    connection.executemany(_TAKE_IN, [message for request in requests for message in request])
    return [None] * len(requests)


TAKE_IN: Hop[list[IncomingMessage], None] = Hop("incoming", len, _take_in)
