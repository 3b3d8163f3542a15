"""What the bench's own processes are told, and what they write down.

All clocks are the machine's monotonic one, in nanoseconds, which is the same in every process. A message is known by
its recipient: they are counted up from `first`.
"""

import asyncio
import json
import os
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

FIRST: Final = 447_700_000_000
WARM_UP_FIRST: Final = 447_600_000_000
TEXT: Final = "Hello from the benchmark, message body of a usual size."
TELL_S: Final = 0.2
"""How often a process tells how far it is."""

TIME: Final = "q"
COUNT: Final = "B"
STATUS: Final = "H"


class LoadOrder(msgspec.Struct, frozen=True, kw_only=True):
    """For the load. rate: requests a second, 0 for as many as are answered. records: the file to write."""

    port: int
    api_key: str
    first: int
    requests: int
    per_request: int
    connections: int
    rate: float
    records: str


class FarOrder(msgspec.Struct, frozen=True, kw_only=True):
    """For the message centre and the webhook. messages: how many from `first` are written down."""

    first: int
    messages: int
    records: str


def _zeros(kind: str, count: int) -> "array[int]":
    return array(kind, bytes(array(kind).itemsize * count))


@dataclass(slots=True)
class LoadRecords:
    """By request: when it was due or sent, when its answer was complete, the HTTP status or 0 for none."""

    requests: int
    started: "array[int]" = field(init=False)
    ended: "array[int]" = field(init=False)
    status: "array[int]" = field(init=False)

    def __post_init__(self) -> None:
        self.started = _zeros(TIME, self.requests)
        self.ended = _zeros(TIME, self.requests)
        self.status = _zeros(STATUS, self.requests)

    def columns(self) -> "Iterator[array[int]]":
        """In the order of the file."""
        yield from (self.started, self.ended, self.status)


@dataclass(slots=True)
class FarRecords:
    """By message: when it was first submitted and first told to be delivered, 0 for never, and how often each."""

    messages: int
    submitted: "array[int]" = field(init=False)
    submits: "array[int]" = field(init=False)
    told: "array[int]" = field(init=False)
    tellings: "array[int]" = field(init=False)

    def __post_init__(self) -> None:
        self.submitted = _zeros(TIME, self.messages)
        self.submits = _zeros(COUNT, self.messages)
        self.told = _zeros(TIME, self.messages)
        self.tellings = _zeros(COUNT, self.messages)

    def columns(self) -> "Iterator[array[int]]":
        """In the order of the file."""
        yield from (self.submitted, self.submits, self.told, self.tellings)

    def submit(self, index: int, at_ns: int) -> bool:
        """A message was seen at the message centre; whether for the first time."""
        return _note(index, at_ns, times=self.submitted, counts=self.submits)

    def tell(self, index: int, at_ns: int) -> bool:
        """The webhook was told that a message is delivered; whether for the first time."""
        return _note(index, at_ns, times=self.told, counts=self.tellings)


def _note(index: int, at_ns: int, *, times: "array[int]", counts: "array[int]") -> bool:
    if not 0 <= index < len(times):
        return False
    is_first = not counts[index]
    if is_first:
        times[index] = at_ns
    counts[index] = min(255, counts[index] + 1)
    return is_first


def write(records: LoadRecords | FarRecords, path: str) -> None:
    """Put the columns into a file."""
    with Path(path).open("wb") as file:
        for column in records.columns():
            column.tofile(file)


def read(records: LoadRecords | FarRecords, path: str) -> None:
    """Fill records from a file of the same size. Raises ValueError when it is not."""
    written = Path(path).read_bytes()
    size = sum(column.itemsize * len(column) for column in records.columns())
    if size != len(written):
        raise ValueError(f"{path} holds {len(written)} octets, not {size}")
    begin = 0
    for column in records.columns():
        end = begin + column.itemsize * len(column)
        column[:] = array(column.typecode, written[begin:end])
        begin = end


async def standard_input() -> asyncio.StreamReader:
    """What the bench says to this process: its order on one line, and the end of it when the work is over."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(0, "rb", closefd=False))
    return reader


def say(**figures: int) -> None:
    """One line for the bench."""
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()
