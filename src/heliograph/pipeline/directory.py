"""What is set up, at hand: a snapshot that follows the store, and the keys that were checked before."""

import asyncio
import hashlib
import re

from heliograph.core.directory import Account, Snapshot
from heliograph.core.ids import AccountId
from heliograph.net.clock import Clock
from heliograph.store import directory as rows
from heliograph.store import keys, meta
from heliograph.store.directory import ToldOf
from heliograph.store.engine import Store, StoreUnavailable

POLL_S = 0.5
_MOST_KEYS = 10_000
_KEY = re.compile(r"([1-9][0-9]{0,9})\|([A-Za-z0-9]{40,48})")


class Directory:
    """The snapshot in force, and the clock. `load` before use; `follow` keeps it fresh while a server runs."""

    def __init__(self, store: Store, clock: Clock, told: ToldOf) -> None:
        self._store = store
        self.clock = clock
        self._told = told
        self._known: dict[str, AccountId] = {}
        self._wrong: set[str] = set()
        self._loading = asyncio.Lock()
        self._before: Snapshot | None = None
        self.snapshot: Snapshot

    async def load(self) -> None:
        """Read everything that is set up. Whoever comes meanwhile waits, and reads only what changed since."""
        has_company = self._loading.locked()
        async with self._loading:
            if has_company and not await self.is_stale():
                return
            async with self._store.reading() as connection:
                snapshot = await rows.load(connection, self._told, before=self._before)
            self.snapshot = self._before = snapshot
            self._known.clear()

    async def follow(self) -> None:
        """Reload when the store's revision moves; for ever."""
        while True:
            await self.clock.sleep(POLL_S)
            try:
                if await self.is_stale():
                    await self.load()
            except StoreUnavailable:
                continue

    async def is_stale(self) -> bool:
        """Whether something was set up since the snapshot was read."""
        async with self._store.reading() as connection:
            return await meta.revision(connection) != self.snapshot.revision

    def cached(self, api_key: str) -> Account | None:
        """The account of a key that was checked since the last change; no waiting."""
        account_id = self._known.get(api_key)
        return None if account_id is None else self.snapshot.accounts.get(account_id)

    async def account_for_key(self, api_key: str) -> Account | None:
        """The account a key opens, or None. A key that was just added is found at once."""
        account = self.cached(api_key)
        if account is not None or api_key in self._wrong:
            return account
        parts = _KEY.fullmatch(api_key)
        if parts is None:
            return None
        digest = hashlib.sha256(parts[2].encode()).hexdigest()
        async with self._store.reading() as connection:
            found = await keys.account_id_for(connection, int(parts[1]), digest)
        if found is None:
            # A key is drawn at random before anybody knows it, so a wrong one never becomes right.
            if len(self._wrong) >= _MOST_KEYS:
                self._wrong.clear()
            self._wrong.add(api_key)
            return None
        account_id = AccountId(found)
        if account_id not in self.snapshot.accounts:
            await self.load()
        if len(self._known) >= _MOST_KEYS:
            self._known.clear()
        self._known[api_key] = account_id
        return self.snapshot.accounts.get(account_id)
