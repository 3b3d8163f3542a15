"""A load that does not wait for answers: requests are due at even times, over as many connections as that takes.

What is due when every connection waits for an answer is not sent: a world has many callers, but not without end.
As a program it offers from a process of its own, and gives way to what it presses on.
"""

import asyncio
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any, NamedTuple, cast

TICK_S = 0.002
FIRST_S = 5.0
"""In the first seconds callers are still connecting."""
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


def memory_mb(pids: Iterable[int]) -> float:
    """Of processes, each with what it shares."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


class Answered(NamedTuple):
    """One request. at: when it was due, in seconds from the start; status 0 for a connection that was lost."""

    at: float
    seconds: float
    status: int


@dataclass(slots=True)
class Record:
    """What came of a load. unsent: due while every connection was waiting. shown: a whole answer of each status."""

    answered: list[Answered] = field(default_factory=list)
    shown: dict[int, bytes] = field(default_factory=dict)
    unsent: int = 0
    most_open: int = 0

    def statuses(self) -> Counter[int]:
        """How often each status came."""
        return Counter(each.status for each in self.answered)

    def seconds(self, *statuses: int, since: float = 0.0) -> list[float]:
        """How long the answers took."""
        return [each.seconds for each in self.answered if each.status in statuses and each.at >= since]


class Told(NamedTuple):
    """What another process's load came to. seconds: by status, half and 99 % of the answers after the first seconds."""

    statuses: dict[int, int]
    seconds: dict[int, tuple[float, float]]
    unsent: int
    most_open: int


def percentile(values: Iterable[float], percent: int) -> float:
    """Of some values; 0 when there are none."""
    found = list(values)
    return quantiles(found, n=100, method="inclusive")[percent - 1] if len(found) > 1 else sum(found)


def touchbasepro(api_key: str, *, first: int = 27_820_000_000) -> Callable[[int], bytes]:
    """Requests of one recipient each, in the TouchBasePro dialect."""
    head = (
        "POST /sms/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {api_key}\r\nContent-Length: 44\r\n\r\n"
    ).encode()
    return lambda index: head + b'{"text":"Your code is","to":["%d"]}' % (first + index)


class Pressure:
    """Offers requests to a port on loopback. request: the whole of one, by its number."""

    def __init__(self, port: int, request: Callable[[int], bytes], *, most_open: int = 1_000) -> None:
        self.record = Record()
        self.request = request
        self._port = port
        self._most_open = most_open
        self._idle: list[_Caller] = []
        self._open: set[_Caller] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._begun = 0.0
        self._number = 0

    async def offer(self, rate: float, seconds: float, *, patience_s: float = 30.0) -> Record:
        """So many requests a second, for so long; comes back when all are answered or lost. Raises TimeoutError."""
        self._begun = begun = time.monotonic()
        offered = 0
        while (now := time.monotonic() - begun) < seconds:
            due = int(now * rate)
            while offered < due:
                self._give(offered / rate)
                offered += 1
            self.record.most_open = max(self.record.most_open, len(self._open))
            await asyncio.sleep(TICK_S)
        async with asyncio.timeout(patience_s):
            while self._opening or len(self._idle) < len(self._open):  # noqa: ASYNC110 (any of them may be the last)
                await asyncio.sleep(TICK_S)
        for each in self._open:
            each.close()
        return self.record

    def _give(self, at: float) -> None:
        number = self._number
        if self._idle:
            self._number += 1
            self._idle.pop().send(at, self.request(number))
        elif len(self._open) + len(self._opening) < self._most_open:
            self._number += 1
            task = asyncio.ensure_future(self._connect(at, self.request(number)))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        else:
            self.record.unsent += 1

    async def _connect(self, at: float, request: bytes) -> None:
        try:
            loop = asyncio.get_running_loop()
            _, caller = await loop.create_connection(lambda: _Caller(self), "127.0.0.1", self._port)
        except OSError:
            self.answered(at, 0, b"")
            return
        self._open.add(caller)
        caller.send(at, request)

    def answered(self, at: float, status: int, whole: bytes) -> None:
        """A request has its answer, or will never have one."""
        self.record.answered.append(Answered(at, time.monotonic() - self._begun - at, status))
        if status not in self.record.shown:
            self.record.shown[status] = whole

    def idle(self, caller: "_Caller") -> None:
        """A connection may be used again."""
        self._idle.append(caller)

    def lost(self, caller: "_Caller") -> None:
        """A connection is gone."""
        self._open.discard(caller)
        if caller in self._idle:
            self._idle.remove(caller)


class _Caller(asyncio.Protocol):
    def __init__(self, pressure: Pressure) -> None:
        self._pressure = pressure
        self._at: float | None = None
        self._pending = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, at: float, request: bytes) -> None:
        self._at = at
        self._transport.write(request)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._pending += data
        end = self._pending.find(b"\r\n\r\n")
        if end < 0 or self._at is None:
            return
        found = _LENGTH.search(self._pending, 0, end + 2)
        length = end + 4 + (int(found[1]) if found else 0)
        if len(self._pending) < length:
            return
        at, self._at = self._at, None
        whole, status = bytes(self._pending[:length]), int(self._pending[9:12])
        self._pending.clear()
        self._pressure.answered(at, status, whole)
        if b"\r\nconnection: close" in whole:
            self._transport.close()
        else:
            self._pressure.idle(self)

    def connection_lost(self, exc: Exception | None) -> None:
        at, self._at = self._at, None
        if at is not None:
            self._pressure.answered(at, 0, b"")
        self._pressure.lost(self)


async def offered_by_another(port: int, api_key: str, *, rate: float, seconds: float, most_open: int) -> Told:
    """Offer requests from a process of its own; what it came to."""
    words = (str(port), api_key, str(rate), str(seconds), str(most_open))
    program = (sys.executable, "-m", "tests.faults.pressure")
    root = Path(__file__).parents[2]
    other = await asyncio.create_subprocess_exec(*program, *words, cwd=root, stdout=asyncio.subprocess.PIPE)
    try:
        said, _ = await other.communicate()
    finally:
        if other.returncode is None:
            other.kill()
            await other.wait()
    told: dict[str, Any] = json.loads(said)
    statuses = {int(status): count for status, count in told.pop("statuses").items()}
    spent = {int(status): (half, most) for status, (half, most) in told.pop("seconds").items()}
    return Told(statuses, spent, **told)


def _offer(port: str, api_key: str, rate: str, seconds: str, most_open: str) -> Told:
    pressure = Pressure(int(port), touchbasepro(api_key), most_open=int(most_open))
    record = asyncio.run(pressure.offer(float(rate), float(seconds)))
    statuses = record.statuses()
    spent = {status: record.seconds(status, since=FIRST_S) for status in statuses}
    return Told(
        statuses=dict(statuses),
        seconds={status: (percentile(each, 50), percentile(each, 99)) for status, each in spent.items()},
        unsent=record.unsent,
        most_open=record.most_open,
    )


if __name__ == "__main__":
    os.nice(5)
    sys.stdout.write(json.dumps(_offer(*sys.argv[1:])._asdict()))
