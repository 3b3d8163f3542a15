"""What the two ends say to each other over a socket: an order with a picture, an answer with one or with what is wrong.

Fields of fixed length and octets, nothing that could be more than it looks: the far end has looked at a stranger's
picture, and its answers are read with the same distrust.
"""

import struct
from typing import Final, NamedTuple

VERSION: Final = 1
"""Counts the changes of what comes out of a worker, so that nobody takes an older picture for it."""
MOST_OCTETS: Final = 16 * 1024 * 1024
"""Of a picture that the far end is given."""
MOST_WORDS: Final = 300

READY: Final = b"ready"
"""Said once by the far end, before anything else."""
ORDER: Final = struct.Struct("!IIHI")
ANSWER: Final = struct.Struct("!BHI")
_TYPES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")


class Order(NamedTuple):
    """A picture that is to be made to fit."""

    picture: bytes
    content_type: str
    most_octets: int
    most_side: int


class BadFrame(Exception):
    """The far end said something that it never says."""


def framed_order(order: Order) -> bytes:
    """An order on the socket."""
    kind = order.content_type.encode()
    return ORDER.pack(order.most_octets, order.most_side, len(kind), len(order.picture)) + kind + order.picture


def framed_answer(content: bytes, words: str, *, is_good: bool) -> bytes:
    """An answer on the socket. words: the type of a good picture, or what is wrong with a bad one."""
    said = words[:MOST_WORDS].encode("ascii", "replace")
    return ANSWER.pack(is_good, len(said), len(content)) + said + content


def read_answer_head(head: bytes, most_octets: int) -> tuple[bool, int, int]:
    """Whether it is good, and the octets of its words and of its picture. Raises BadFrame."""
    is_good, words, octets = ANSWER.unpack(head)
    if is_good > 1 or words > MOST_WORDS or octets > (most_octets if is_good else 0):
        raise BadFrame
    return bool(is_good), words, octets


def read_words(words: bytes, *, is_good: bool) -> str:
    """The words of an answer. Raises BadFrame."""
    said = words.decode("ascii", "replace")
    if not said.isprintable() or (is_good and said not in _TYPES):
        raise BadFrame
    return said
