"""Adapted pictures on disk, so that each is made once for all recipients, tries and processes.

A cache and nothing more: whatever is lost is made again, so nothing waits for the disk, and a disk in trouble costs
time only. A file is written under another name and then named; as a power cut may still leave a name without its
octets, each begins with a digest of the rest, and one that is not as it was written is none. Processes that share the
folder may write the same file at once: both write the same.

What was not used for a day is removed, and more than the folder may hold, the longest unused first. No picture
outlives its original by more than that day.
"""

import logging
import os
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from heliograph.net.clock import Clock

KEPT_S: Final = 24 * 3600
UNNAMED_KEPT_S: Final = 3600
MOST_OCTETS: Final = 256 * 1024 * 1024
_UNNAMED: Final = "new-"
_DIGEST_OCTETS: Final = 32
_log = logging.getLogger(__name__)


class Wish(NamedTuple):
    """What was asked for: a file, and what it was to fit. version: of the way of making it."""

    digest: str
    most_octets: int
    most_side: int
    version: int

    @property
    def name(self) -> str:
        """Of the file that answers it."""
        return sha256(f"{self.version} {self.digest} {self.most_octets} {self.most_side}".encode()).hexdigest()


class PictureCache:
    """The files in a folder. No method raises for what the disk does; all of them block."""

    def __init__(self, folder: Path, clock: Clock, *, most_octets: int = MOST_OCTETS) -> None:
        self._folder = folder
        self._clock = clock
        self._most_octets = most_octets
        self._written = 0

    def find(self, wish: Wish) -> tuple[bytes, str] | None:
        """A picture and its type; None when it must be made."""
        path = self._folder / wish.name
        try:
            file = path.read_bytes()
            now_s = self._clock.now_ms() / 1000
            os.utime(path, (now_s, now_s))
        except OSError:
            return None
        digest, rest = file[:_DIGEST_OCTETS], file[_DIGEST_OCTETS:]
        if sha256(rest).digest() != digest:
            return None
        kind, _, content = rest.partition(b"\n")
        return content, kind.decode()

    def keep(self, wish: Wish, content: bytes, content_type: str) -> None:
        """Keep a picture, if the disk lets us."""
        rest = content_type.encode() + b"\n" + content
        try:
            self._write(wish.name, sha256(rest).digest() + rest)
        except OSError as error:
            _log.warning("an adapted picture could not be kept: %s", error.strerror or error)
        self._written += len(rest)
        # Some processes may write at once, and none of them may fill the disk meanwhile.
        if self._written > self._most_octets // 8:
            self.tidy()

    def tidy(self) -> None:
        """Remove what is old, and what is too much."""
        self._written = 0
        now_s = self._clock.now_ms() / 1000
        found: list[tuple[float, int, Path]] = []
        with suppress(OSError):
            for path in self._folder.iterdir():
                with suppress(OSError):
                    status = path.stat()
                    found.append((status.st_mtime, status.st_size, path))
        octets = 0
        for used_s, size, path in sorted(found, reverse=True):
            octets += size
            kept_s = UNNAMED_KEPT_S if path.name.startswith(_UNNAMED) else KEPT_S
            if octets > self._most_octets or used_s < now_s - kept_s:
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    def _write(self, name: str, octets: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, unnamed = tempfile.mkstemp(dir=self._folder, prefix=_UNNAMED)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(octets)
            now_s = self._clock.now_ms() / 1000
            os.utime(unnamed, (now_s, now_s))
            os.replace(unnamed, self._folder / name)
        except BaseException:
            with suppress(OSError):
                os.unlink(unnamed)
            raise
