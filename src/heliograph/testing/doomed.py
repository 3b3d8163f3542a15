"""A server that dies: `python -m heliograph.testing.doomed POINT COUNT` is `heliograph serve` with a bad end.

The COUNT-th time that the named crash point is passed, the process is killed with SIGKILL: nothing is flushed, closed
or told. The settings are those of the environment. A hop's work passes `<hop>.stored` before its commit and
`<hop>.committed` after it, in the process that writes, which takes the server with it; the others are passed on the
event loop, and the process that writes is left behind as after any `kill -9`.
"""

import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from heliograph.config import load_settings
from heliograph.store.apart import far

_MMS_HOPS: Final = ("keep", "fetched")
HOPS: Final = ("accept", "mark", "settle", "notify", "told", "claim", "recover", "incoming", "partial", *_MMS_HOPS)
"""What the writer commits: `notify` makes a delivery of events, `told` keeps what its call came to; `keep` is a file's
row, `fetched` says that those of a submission are there."""

POINTS: Final = (
    *(f"{hop}.{moment}" for hop in HOPS for moment in ("stored", "committed")),
    "claim.taken",
    "submit.taken",
    "submit.answered",
    "receive.taken",
    "receive.acknowledged",
    "receive.given_up",
    "notify.grouped",
    "notify.called",
    "broadcast.read",
    "broadcast.moved",
    "fetch.got",
    "fetch.kept",
)
"""Every crash point there is."""


def dying_at(point: str, count: int, *, die: Callable[[], object]) -> Callable[[str], None]:
    """What counts the passings of a point and dies at the count-th."""
    passed = 0

    def reach(reached: str) -> None:
        nonlocal passed
        if reached == point:
            passed += 1
            if passed == count:
                die()

    return reach


def die() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_together() -> None:
    """End the server and the process that writes for it."""
    os.kill(os.getppid(), signal.SIGKILL)
    die()


def main(arguments: Sequence[str]) -> None:
    """Serve until the point is passed for the count-th time; with a path, be the process that writes to the store."""
    point, count, *path = arguments
    if point not in POINTS:
        raise SystemExit(f"there is no crash point {point!r}; there are {', '.join(POINTS)}")
    if path:
        far.main(path, dying_at(point, int(count), die=die_together))
        return
    serve(point, int(count), None)


def serve(point: str, count: int, listener: socket.socket | None) -> None:
    """Serve until the point is passed for the count-th time. listener: where requests come in, None for a new one."""
    # Not above: the process that writes does without the server, whose import takes ten times as long as its own.
    gc.disable()
    from heliograph.server import run  # noqa: PLC0415

    gc.enable()
    settings = load_settings(None, os.environ, {})

    def far_end(path: Path) -> list[str]:
        return [sys.executable, "-m", __spec__.name, point, str(count), str(path)]

    def say(address: str) -> None:
        sys.stdout.write(f"Heliograph serves {address}, until {point}\n")
        sys.stdout.flush()

    run(settings, started=say, reach=dying_at(point, count, die=die), far_end=far_end, listener=listener)


if __name__ == "__main__":
    main(sys.argv[1:])
