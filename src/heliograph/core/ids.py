"""Identifiers that sort by time and fit a JSON number.

An id counts milliseconds since 2026-01-01 UTC (41 bits), the node that made it (6 bits) and a counter (6 bits):
53 bits, so that every JSON reader keeps it exact. A node that needs more than 64 ids in a millisecond borrows
from the ones to come; an id is never below the last one of the store, whatever the clock does.
"""

import re
from hashlib import blake2b
from typing import NewType

AccountId = NewType("AccountId", int)
MessageId = NewType("MessageId", int)
SubmissionId = NewType("SubmissionId", int)
CarrierId = NewType("CarrierId", int)
WebhookId = NewType("WebhookId", int)
ContactGroupId = NewType("ContactGroupId", int)
ContactId = NewType("ContactId", int)
BroadcastId = NewType("BroadcastId", int)

EPOCH_MS = 1_767_225_600_000
NODES = 64
_COUNTER_BITS = 6
_NODE_BITS = 6
_COUNTERS = 1 << _COUNTER_BITS
_TIME_SHIFT = _COUNTER_BITS + _NODE_BITS
_LARGEST = 2**53 - 1
_DAY_MS = 86_400_000
_SHOWN = re.compile("([0-9a-f]{16})([0-9a-f]{16})")
_UUID = re.compile("([0-9a-f]{8})-([0-9a-f]{4})-8([0-9a-f]{3})-([89ab][0-9a-f]{3})-([0-9a-f]{12})")
_UUID_MARK = (1 << 62) - 1
_UID = re.compile("[0-9a-f]{13}")
_HALF_BITS = 26
_HALF = (1 << _HALF_BITS) - 1
_TURNS = (b"1", b"2", b"3", b"4")


class IdSource:
    """Makes ids for one node; `last` is the highest id that the store holds."""

    __slots__ = ("_node", "_tick")

    def __init__(self, node: int, *, last: int = 0) -> None:
        if not 0 <= node < NODES:
            raise ValueError(f"a node is numbered 0 to {NODES - 1}, not {node}")
        self._node = node << _COUNTER_BITS
        self._tick = ((last >> _TIME_SHIFT) + 1) << _COUNTER_BITS if last else 0

    def next(self, now_ms: int) -> int:
        """One new id, above every id this source made before."""
        tick = (now_ms - EPOCH_MS) << _COUNTER_BITS
        if tick <= self._tick:
            tick = self._tick + 1
        self._tick = tick
        return tick >> _COUNTER_BITS << _TIME_SHIFT | self._node | tick & (_COUNTERS - 1)

    def take(self, count: int, now_ms: int) -> list[int]:
        """`count` new ids in rising order."""
        start = max((now_ms - EPOCH_MS) << _COUNTER_BITS, self._tick + 1)
        self._tick = start + count - 1
        node = self._node
        return [
            tick >> _COUNTER_BITS << _TIME_SHIFT | node | tick & (_COUNTERS - 1) for tick in range(start, start + count)
        ]


def segment_reference(submission_id: int) -> int:
    """The reference of a long message's segments, 0 to 255: of its submission, and another for the next one.

    >>> [segment_reference(identifier) for identifier in IdSource(1).take(3, 1_795_400_000_000)]
    [64, 65, 66]
    """
    return ((submission_id >> _TIME_SHIFT) + submission_id) & 0xFF


def made_at_ms(identifier: int) -> int:
    """When an id was made (a node that borrowed from the future dates it that far ahead).

    >>> made_at_ms(first_at(1_767_225_601_500))
    1767225601500
    """
    return (identifier >> _TIME_SHIFT) + EPOCH_MS


def first_at(at_ms: int) -> int:
    """The lowest id that can be made at or after a time: the bound for searching by time."""
    return max(0, at_ms - EPOCH_MS) << _TIME_SHIFT


def day_of(identifier: int) -> int:
    """The day on which an id was made, counted from 2026-01-01 UTC."""
    return (identifier >> _TIME_SHIFT) // _DAY_MS


def first_of_day(day: int) -> int:
    """The lowest id of a day.

    >>> day_of(first_of_day(330)), day_of(first_of_day(330) - 1)
    (330, 329)
    """
    return max(0, day) * _DAY_MS << _TIME_SHIFT


def shown_id(identifier: int, mark: str) -> str:
    """An id as an account sees it: 32 hexadecimal digits, of which the account's mark ends it.

    >>> shown_id(10, "00c0ffee00c0ffee")
    '000000000000000a00c0ffee00c0ffee'
    """
    return f"{identifier:016x}{mark}"


def id_and_mark(shown: str) -> tuple[int, str] | None:
    """The id that was shown, and the mark of the account; None when nobody was ever shown this.

    >>> id_and_mark("000000000000000a00c0ffee00c0ffee")
    (10, '00c0ffee00c0ffee')
    """
    found = _SHOWN.fullmatch(shown)
    identifier = int(found[1], 16) if found else 0
    return (identifier, found[2]) if found and identifier <= _LARGEST else None


def uuid_from(identifier: int, mark: str) -> str:
    """An id as a UUID, for interfaces that promise one: milliseconds, node and counter, and the account's mark.

    Version 8 is whatever its maker likes (RFC 9562 section 5.8). The variant stands where the mark's first two bits
    would.

    >>> uuid_from(27_774_400_000 << 12 | 66, "00c0ffee00c0ffee")
    '0006777b-b600-8042-80c0-ffee00c0ffee'
    """
    time = identifier >> _TIME_SHIFT
    low = 1 << 63 | int(mark, 16) & _UUID_MARK
    rest = f"{low:016x}"
    return f"{time >> 16:08x}-{time & 0xFFFF:04x}-8{identifier & 0xFFF:03x}-{rest[:4]}-{rest[4:]}"


def id_from_uuid(written: str, mark: str) -> int | None:
    """The id that a UUID shows, in either case; None when it was never shown to the account with this mark.

    >>> id_from_uuid("00000000-0007-8042-80c0-ffee00c0ffee", "00c0ffee00c0ffee") == 7 << 12 | 66
    True
    """
    found = _UUID.fullmatch(written.lower())
    if found is None:
        return None
    identifier = int(found[1] + found[2] + found[3], 16)
    return identifier if identifier <= _LARGEST and uuid_from(identifier, mark) == written.lower() else None


def uid_from(identifier: int, mark: str) -> str:
    """An id as 13 hexadecimal digits that look like any others, for interfaces that have such ids.

    The account's mark shuffles them, so that a uid tells nothing of its time or its neighbours, and means nothing to
    another account. Four rounds of a Feistel network over two halves of 26 bits: no secret is kept by it, whoever reads
    it is checked all the same. Raises ValueError for ids of 2060 and later, which have more than 52 bits.

    >>> uid_from(10, "00c0ffee00c0ffee")
    'c6b35dbc813e0'
    """
    if identifier >> 2 * _HALF_BITS:
        raise ValueError(f"{identifier} has more than {2 * _HALF_BITS} bits")
    left, right = identifier >> _HALF_BITS, identifier & _HALF
    for turn in _TURNS:
        left, right = right, left ^ _mixed(right, turn, mark)
    return f"{left << _HALF_BITS | right:013x}"


def id_from_uid(written: str, mark: str) -> int | None:
    """The id that a uid shows to the account with this mark; None for what is no uid.

    What was never shown to the account gives some number that is nobody's id, or another account's.

    >>> id_from_uid(uid_from(10, "00c0ffee00c0ffee"), "00c0ffee00c0ffee")
    10
    """
    if not _UID.fullmatch(written):
        return None
    shuffled = int(written, 16)
    left, right = shuffled >> _HALF_BITS, shuffled & _HALF
    for turn in reversed(_TURNS):
        left, right = right ^ _mixed(left, turn, mark), left
    return left << _HALF_BITS | right


def _mixed(half: int, turn: bytes, mark: str) -> int:
    return int.from_bytes(blake2b(b"%d" % half, digest_size=4, key=mark.encode(), salt=turn).digest(), "big") & _HALF
