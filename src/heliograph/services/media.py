"""Files of messages: kept, handed out for a while over links that nobody can guess, forgotten when nobody needs them.

The pipeline's `MediaKeeper` and `MediaLinks`.
"""

import asyncio
from collections.abc import Callable
from typing import Final
from weakref import WeakValueDictionary

from heliograph.core import links
from heliograph.core.events import MediaLink
from heliograph.core.media_types import EXTENSIONS, typed
from heliograph.net.clock import Clock
from heliograph.pipeline.ports import Kept
from heliograph.store import media
from heliograph.store.blobs.blobs import Blobs, digest_of
from heliograph.store.engine import Store, Writer, ask
from heliograph.store.hops.media import KEEP, KeepRequest

PATH: Final = "/media/"
SPARED_MS: Final = 24 * 3_600_000
"""How long a file is kept that nothing refers to yet: its message may still be on its way into the store."""
PAGE: Final = 500
PAGES: Final = 20
_KEY_NAME: Final = "media links"


class MediaLibrary:
    """The files of this installation."""

    def __init__(self, store: Store, writer: Writer, *, blobs: Blobs, clock: Clock) -> None:
        self._store = store
        self._writer = writer
        self._blobs = blobs
        self._clock = clock
        # Whoever keeps a file and whoever forgets it must not do so at once.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._looked_at = ""

    async def keep(self, octets: bytes, declared: str) -> Kept:
        """Keep a file, typed by what is in it; the same twice is one. Raises StoreUnavailable."""
        digest = digest_of(octets)
        request = KeepRequest(digest, typed(octets, declared), len(octets), self._clock.now_ms())
        async with self._alone(digest):
            content_type = await ask(self._writer, KEEP, request)
            await self._blobs.put(digest, octets)
        return Kept(digest, content_type, len(octets))

    async def find(self, digest: str) -> Kept | None:
        """What a file is; None for one that is not here."""
        async with self._store.reading() as connection:
            row = await media.find(connection, digest)
        return Kept(*row) if row is not None else None

    async def read(self, digest: str) -> bytes | None:
        """A file."""
        return await self._blobs.get(digest)

    async def forget_unneeded(self) -> None:
        """Look at some thousand files, and forget those that nothing refers to; the next call goes on behind them."""
        for _ in range(PAGES):
            before_ms = self._clock.now_ms() - SPARED_MS
            async with self._store.reading() as connection:
                digests = await media.page(connection, self._looked_at, most=PAGE)
                unneeded = await media.unneeded(connection, digests, before_ms=before_ms)
            for digest in unneeded:
                await self._forget(digest, before_ms)
            self._looked_at = digests[-1] if len(digests) == PAGE else ""
            if not self._looked_at:
                return

    async def _forget(self, digest: str, before_ms: int) -> None:
        async with self._alone(digest):
            async with self._store.reading() as connection:
                still = await media.unneeded(connection, [digest], before_ms=before_ms)
            if not still:
                return
            # The row last: a file without one would never be found again.
            await self._blobs.delete(digest)
            async with self._store.writing() as connection:
                await media.forget(connection, digest, before_ms=before_ms)

    def _alone(self, digest: str) -> asyncio.Lock:
        lock = self._locks.get(digest)
        if lock is None:
            lock = self._locks[digest] = asyncio.Lock()
        return lock


class Links:
    """Makes links, and reads them back. base: our address as customers reach it. good_for_s: how long one is good."""

    def __init__(self, key: bytes, clock: Clock, *, base: str, good_for_s: int) -> None:
        self._key = key
        self._clock = clock
        self._base = base
        self._good_for_s = good_for_s

    def link(self, kept: Kept) -> MediaLink:
        """A link to a file. Its end is a whole hour, so that a file told twice has the same one for a while."""
        expires_at_s = (self._now_s() + self._good_for_s) // 3600 * 3600 + 3600
        name = links.name_of(kept.digest, expires_at_s=expires_at_s, key=self._key)
        extension = EXTENSIONS[kept.content_type]
        return MediaLink(f"{self._base}{PATH}{name}.{extension}", kept.content_type, kept.octets, kept.digest)

    def read(self, written: str) -> tuple[str, str, int] | None:
        """Digest, extension and seconds left of what stands behind `PATH`; None for what is no good link."""
        name, _, extension = written.partition(".")
        now_s = self._now_s()
        found = links.digest_in(name, now_s=now_s, key=self._key)
        return None if found is None else (found[0], extension, found[1] - now_s)

    def _now_s(self) -> int:
        return self._clock.now_ms() // 1000


async def key_of(store: Store, random_bytes: Callable[[int], bytes]) -> bytes:
    """The key that this installation signs links with: made once, and the same for every process."""
    async with store.reading() as connection:
        known = await media.secret_named(connection, _KEY_NAME)
    if known is None:
        async with store.writing() as connection:
            known = await media.secret_named(connection, _KEY_NAME)
            if known is None:
                known = random_bytes(links.KEY_OCTETS).hex()
                await media.add_secret(connection, _KEY_NAME, value=known)
    return bytes.fromhex(known)
