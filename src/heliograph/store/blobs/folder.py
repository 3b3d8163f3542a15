"""A media store in a folder: the default, for one machine or a shared file system.

A file is written under another name, synced and then named, so that under its digest there is all of it or nothing.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from heliograph.store.blobs.blobs import place_of
from heliograph.store.engine import StoreUnavailable

T = TypeVar("T")

_UNNAMED = "new"
"""The folder of files that are being written; a digest's folder has two digits."""


class FolderBlobs:
    """Implements `blobs.Blobs`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self) -> None:
        """Make the folder, and remove what a crash left half written. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        unnamed = self._folder / _UNNAMED
        unnamed.mkdir(exist_ok=True, mode=0o700)
        for left in unnamed.iterdir():
            left.unlink(missing_ok=True)
        for changed in (self._folder, self._folder.parent):
            _sync(changed)

    async def put(self, digest: str, octets: bytes) -> None:
        """Write, sync, name."""
        await self._do(lambda: self._put(self._path(digest), octets))

    async def get(self, digest: str) -> bytes | None:
        """Read all of it."""
        return await self._do(lambda: _read(self._path(digest)))

    async def has(self, digest: str) -> bool:
        """Look."""
        return await self._do(self._path(digest).is_file)

    async def delete(self, digest: str) -> None:
        """Remove."""
        await self._do(lambda: self._path(digest).unlink(missing_ok=True))

    def _path(self, digest: str) -> Path:
        return self._folder / place_of(digest)

    async def _do(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            raise StoreUnavailable(f"the media folder: {error.strerror or error}") from error

    def _put(self, path: Path, octets: bytes) -> None:
        if path.is_file():
            return
        made = _make_folders(path.parent)
        number, unnamed = tempfile.mkstemp(dir=self._folder / _UNNAMED)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(octets)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unnamed, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(unnamed)
            raise
        for folder in (path.parent, *made):
            _sync(folder)


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and the one above it; the folders whose content changed by it."""
    changed = []
    for each in (folder.parent, folder):
        if not each.is_dir():
            each.mkdir(exist_ok=True, mode=0o700)
            changed.append(each.parent)
    return changed


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
