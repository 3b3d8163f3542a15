"""What was read, kept in a folder so that the same text is not read again.

A file's name says what it holds, and what it holds never changes, so several processes may share the folder: whoever
writes, writes under another name, syncs and renames, and whoever finds nothing reads the text anew. Speech is what
customers wrote; what nobody has asked for in a week is forgotten, and what was used longest ago when there is too much.
"""

import asyncio
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from heliograph.net.clock import Clock

T = TypeVar("T")

KEPT_S: Final = 7 * 24 * 3_600
UNNAMED_S: Final = 3_600
"""A file that is still being written after an hour was left by a crash."""
_UNNAMED: Final = "new"
_LOOKS: Final = 20
"""The folder is looked through after as many new octets as the bound has in this part."""
_LEFT: Final = 0.9
"""Of the bound, when there was too much."""

_log = logging.getLogger(__name__)


class _Found(NamedTuple):
    """A file in the folder. used_s: when it was last wanted."""

    used_s: float
    octets: int
    path: Path


def name_of(*what: str) -> str:
    """The name of what says the same about itself: 64 hexadecimal digits."""
    return sha256("\0".join(what).encode()).hexdigest()


class SpeechCache:
    """Files below a folder. most_octets: of all together, roughly; 0 to keep nothing."""

    def __init__(self, folder: Path, clock: Clock, *, most_octets: int) -> None:
        self._folder = folder
        self._clock = clock
        self._most_octets = most_octets
        self._unseen_octets = 0
        self._is_failing = False

    async def get(self, name: str) -> bytes | None:
        """What is kept under a name; None when nothing is, or it cannot be had."""
        return await self._do(lambda: self._get(name)) if self._most_octets else None

    async def put(self, name: str, octets: bytes) -> None:
        """Keep something; when it cannot be, it is not."""
        if self._most_octets:
            await self._do(lambda: self._put(name, octets))

    async def forget(self) -> None:
        """Remove what is too old or too much."""
        await self._do(self._forget)

    async def _do(self, work: Callable[[], T]) -> T | None:
        try:
            done = await asyncio.to_thread(work)
        except OSError as error:
            if not self._is_failing:
                _log.warning("speech cannot be kept in %s: %s", self._folder, error.strerror or error)
            self._is_failing = True
            return None
        self._is_failing = False
        return done

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name

    def _get(self, name: str) -> bytes | None:
        path, now_s = self._path(name), self._clock.now_ms() / 1000
        try:
            octets = path.read_bytes()
            os.utime(path, (now_s, now_s))
        except FileNotFoundError:
            return None
        return octets or None

    def _put(self, name: str, octets: bytes) -> None:
        path, unnamed = self._path(name), self._folder / _UNNAMED
        # One by one: a folder made on the way to another has the system's mode.
        for folder in (self._folder, unnamed, path.parent):
            folder.mkdir(exist_ok=True, mode=0o700)
        number, written = tempfile.mkstemp(dir=unnamed)
        now_s = self._clock.now_ms() / 1000
        try:
            with os.fdopen(number, "wb") as file:
                file.write(octets)
                file.flush()
                os.utime(file.fileno(), (now_s, now_s))
                os.fsync(file.fileno())
            os.replace(written, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(written)
            raise
        self._unseen_octets += len(octets)
        if self._unseen_octets > self._most_octets // _LOOKS:
            self._forget()

    def _forget(self) -> None:
        self._unseen_octets = 0
        now_s = self._clock.now_ms() / 1000
        kept: list[_Found] = []
        for found in self._files():
            is_named = found.path.parent.name != _UNNAMED
            if found.used_s < now_s - (KEPT_S if is_named else UNNAMED_S):
                found.path.unlink(missing_ok=True)
            elif is_named:
                kept.append(found)
        total = sum(found.octets for found in kept)
        if total <= self._most_octets:
            return
        for found in sorted(kept):
            if total <= self._most_octets * _LEFT:
                return
            found.path.unlink(missing_ok=True)
            total -= found.octets

    def _files(self) -> Iterator[_Found]:
        for path in self._folder.glob("*/*"):
            # Another process may have removed it just now.
            with suppress(FileNotFoundError):
                stat = path.stat()
                yield _Found(stat.st_mtime, stat.st_size, path)
