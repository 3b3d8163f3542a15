"""Ports for other programs, which have to be told a number before they take it."""

import random
import socket
from typing import Final

BETWEEN: Final = (10_000, 16_000)
"""Below those that voice carriers take and those that the kernel gives to whoever asks for any port: nobody else gets
one by chance before it is taken."""

_PLACES: Final = 200


def free_ports(count: int) -> range:
    """Ports in a row from an even one on that nobody uses on loopback, over TCP or UDP. Raises LookupError."""
    dice = random.SystemRandom()
    for _ in range(_PLACES):
        first = dice.randrange(*BETWEEN, 2)
        if all(map(_is_free, range(first, first + count))):
            return range(first, first + count)
    raise LookupError(f"there are no {count} free ports in a row")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as it:
            if kind is socket.SOCK_STREAM:
                # A connection that has ended a moment ago does not keep the port from who listens there next.
                it.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                it.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
