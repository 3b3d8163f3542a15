"""A line between this network and another one that only it leads to, as bad as a story wants it.

The other network is a namespace without a name, which is gone when nobody is in it any more, whatever happened. The
line is a pair of TUN devices; a thread carries the packets from one to the other, and loses, doubles, delays and so
reorders them. A way that is silent loses all of them and tells nobody, as a network does that is half open.
"""

import ctypes
import fcntl
import heapq
import os
import random
import selectors
import shutil
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

TUN = Path("/dev/net/tun")
LOOK_S = 0.1
"""Between two looks whether the line is to end."""

_NEW_NETWORK = 0x40000000
_SET_INTERFACE = 0x400454CA
_PLAIN_TUN = 0x1001
_MOST_OCTETS = 65_536
_BLOCK_NUMBER = 10 << 24 | 234 << 16

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(slots=True)
class Way:
    """One direction. is_silent: whether nothing arrives. packets: how many came; lost, doubled: what befell them."""

    is_silent: bool = False
    packets: int = 0
    lost: int = 0
    doubled: int = 0


class Weather(NamedTuple):
    """How bad a line is. loss, doubles: 0 to 1, of all packets. Each packet is late by `delay_s`, give or take
    `jitter_s`."""

    loss: float = 0.07
    doubles: float = 0.01
    delay_s: float = 0.02
    jitter_s: float = 0.01


FAIR = Weather(loss=0.0, doubles=0.0, delay_s=0.0, jitter_s=0.0)


class Line:
    """A line that stands. near, far: the addresses of its ends. there, back: its ways, to the far end and from it.

    weather: may change, as the ways may.
    """

    def __init__(self, near: str, far: str, *, home: int, abroad: int) -> None:
        self.near, self.far = near, far
        self.weather = Weather()
        self.there, self.back = Way(), Way()
        self._home, self._abroad = home, abroad

    @contextmanager
    def far_side(self) -> Iterator[None]:
        """Sockets that this thread opens meanwhile, and processes that it starts, are in the other network.

        So is a thread that begins meanwhile, and it stays there: nothing else should be done.
        """
        _check(_libc.setns(self._abroad, _NEW_NETWORK))
        try:
            yield
        finally:
            _check(_libc.setns(self._home, _NEW_NETWORK))


@contextmanager
def line(seed: int) -> Iterator[Line]:
    """Make a line. Raises LookupError, with the reason, where that cannot be done."""
    if os.geteuid() != 0 or shutil.which("ip") is None or not TUN.exists():
        raise LookupError(f"a line to another network takes root, the program ip and {TUN}")
    with ExitStack() as stack:
        home, abroad = _networks(stack)
        # Of many processes at once each has addresses of its own.
        first = _BLOCK_NUMBER + os.getpid() % 0x4000 * 4
        made = Line(_address(first + 1), _address(first + 2), home=home, abroad=abroad)
        here = _end(stack, f"helio{os.getpid()}", made.near, made.far)
        with made.far_side():
            yonder = _end(stack, "helio", made.far, made.near)
            _run("ip link set lo up")
        relay = _Relay(random.Random(seed), made)
        relay.join(here, yonder, made.there)
        relay.join(yonder, here, made.back)
        with relay.running():
            yield made


def _networks(stack: ExitStack) -> tuple[int, int]:
    """This network, and a new one."""
    home = _opened(stack, "/proc/thread-self/ns/net")
    try:
        _check(_libc.unshare(_NEW_NETWORK))
    except OSError as error:
        raise LookupError(f"another network cannot be made here: {error}") from error
    try:
        return home, _opened(stack, "/proc/thread-self/ns/net")
    finally:
        _check(_libc.setns(home, _NEW_NETWORK))


def _end(stack: ExitStack, name: str, address: str, peer: str) -> int:
    """One end of the line, in the network of this thread; it is gone when its file is closed."""
    end = _opened(stack, str(TUN), os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(end, _SET_INTERFACE, struct.pack("16sH22x", name.encode(), _PLAIN_TUN))
        _run(f"ip addr add {address} peer {peer} dev {name}")
        _run(f"ip link set {name} up")
    except (OSError, subprocess.CalledProcessError) as error:
        raise LookupError(f"the end of a line cannot be made here: {error}") from error
    return end


def _opened(stack: ExitStack, path: str, flags: int = os.O_RDONLY) -> int:
    number = os.open(path, flags | os.O_CLOEXEC)
    stack.callback(os.close, number)
    return number


def _address(number: int) -> str:
    return ".".join(map(str, number.to_bytes(4, "big")))


def _run(words: str) -> None:
    subprocess.run(words.split(), check=True, capture_output=True)


def _check(answer: int) -> None:
    if answer:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class _Relay:
    """Carries packets from one end to the other, in a thread."""

    def __init__(self, dice: random.Random, of: Line) -> None:
        self._dice = dice
        self._line = of
        self._selector = selectors.DefaultSelector()
        self._flying: list[tuple[float, int, int, bytes]] = []
        self._count = 0
        self._is_over = threading.Event()

    def join(self, source: int, target: int, way: Way) -> None:
        """Let what comes out of one end go into another."""
        self._selector.register(source, selectors.EVENT_READ, lambda: self._take(source, target, way))

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run, name="line")
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()
            self._selector.close()

    def _run(self) -> None:
        while not self._is_over.is_set():
            rest_s = self._flying[0][0] - time.monotonic() if self._flying else LOOK_S
            for key, _ in self._selector.select(min(max(0.0, rest_s), LOOK_S)):
                take: Callable[[], None] = key.data
                take()
            while self._flying and self._flying[0][0] <= time.monotonic():
                _, _, target, packet = heapq.heappop(self._flying)
                os.write(target, packet)

    def _take(self, source: int, target: int, way: Way) -> None:
        try:
            packet = os.read(source, _MOST_OCTETS)
        except BlockingIOError:
            return
        weather = self._line.weather
        way.packets += 1
        if way.is_silent or self._dice.random() < weather.loss:
            way.lost += 1
            return
        is_doubled = self._dice.random() < weather.doubles
        way.doubled += is_doubled
        for _ in range(1 + is_doubled):
            self._count += 1
            late_s = weather.delay_s + self._dice.uniform(-1, 1) * weather.jitter_s
            heapq.heappush(self._flying, (time.monotonic() + late_s, self._count, target, packet))
