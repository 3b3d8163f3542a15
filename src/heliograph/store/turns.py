"""How processes share one SQLite file kindly: everyone but the server's writer takes a turn, and the writer looks.

The writer commits back to back under load, and SQLite's own lock is not fair: without turns a command waits for
seconds. A command holds `turn.lock` while it writes; the writer lets it pass before its next transaction.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST_WAIT_S = 1.0
"""A turn lasts at most 50 ms by contract; a process that overstays this is no longer waited for."""


LOOKS, LOOK_S = 60, 0.05
"""How often, and how many seconds apart, a server that starts looks whether the one before it has let go."""


class Turns:
    """The turn lock of one data folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "turn.lock"
        self._watch: int | None = None
        self._gave_up = False

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the turn; waits for the one who has it."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def let_others_pass(self) -> None:
        """Wait until nobody holds the turn; costs two system calls when nobody does."""
        if self._watch is None:
            self._watch = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        until: float | None = None
        while True:
            try:
                fcntl.flock(self._watch, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                now = time.monotonic()  # noqa: TID251 (the writer's thread waits for another process, not for time)
                until = until or now + LONGEST_WAIT_S
                if self._gave_up or now > until:
                    self._gave_up = True
                    return
                time.sleep(0.001)  # noqa: TID251
            else:
                fcntl.flock(self._watch, fcntl.LOCK_UN)
                self._gave_up = False
                return


@contextmanager
def only_server(folder: Path) -> Iterator[int]:
    """Hold `serve.lock` for as long as a server runs; raises BlockingIOError when another one does.

    Gives the file descriptor, for the process that writes: it holds the lock too. That of a server which was killed may
    still be at its last commit, so it is waited for a moment.
    """
    handle = os.open(folder / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        for is_last in (*(False,) * LOOKS, True):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if is_last:
                    raise
                time.sleep(LOOK_S)  # noqa: TID251 (nothing runs yet)
        yield handle
    finally:
        os.close(handle)
