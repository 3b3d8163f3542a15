"""Frames on the socket between the two ends: a length of four octets and plain values."""

import marshal
from typing import Any, Final

LENGTH_OCTETS: Final = 4


def framed(values: Any) -> bytes:
    """Values with their length before them."""
    # Later versions look for repeated objects, which costs more than it saves.
    written = marshal.dumps(values, 2)
    return len(written).to_bytes(LENGTH_OCTETS, "big") + written


def unframed(written: bytes | memoryview) -> Any:
    """The values behind a length. Both ends are this program: nobody else can write to their socket."""
    return marshal.loads(written)
