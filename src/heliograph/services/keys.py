"""API keys: made, listed and revoked."""

import os
import string
from collections.abc import Callable

from heliograph.core.ids import AccountId
from heliograph.net.clock import Clock
from heliograph.services.changes import ChangeLog, the_account
from heliograph.services.refused import Refused
from heliograph.store import keys
from heliograph.store.connection import Connection
from heliograph.store.engine import Store
from heliograph.store.keys import KeyRow

SECRET_CHARS = 40
_ALPHABET = string.ascii_letters + string.digits


def secret_from(random_bytes: Callable[[int], bytes]) -> str:
    """Forty letters and digits (238 bits), every one of them equally likely."""
    # 248 is the highest multiple of 62 in an octet; what lies above would favour the first letters.
    secret = ""
    while len(secret) < SECRET_CHARS:
        secret += "".join(_ALPHABET[octet % 62] for octet in random_bytes(SECRET_CHARS) if octet < 248)
    return secret[:SECRET_CHARS]


async def make_key(
    connection: Connection, account_id: AccountId, *, random_bytes: Callable[[int], bytes], now_ms: int
) -> str:
    """Make a key within a transaction; returns it as the customer writes it: its number, a bar, its secret."""
    secret = secret_from(random_bytes)
    key_id = await keys.add(connection, account_id, digest=keys.digest_of(secret), now_ms=now_ms)
    return f"{key_id}|{secret}"


class Keys:
    """The operator's work on keys."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        actor: str = "operator",
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._store = store
        self._log = ChangeLog(clock, actor)
        self._random_bytes = random_bytes

    async def add(self, account_name: str) -> str:
        """Make a further key of an account; it is shown this once."""
        async with self._store.writing() as connection:
            account = await the_account(connection, account_name)
            api_key = await make_key(
                connection, account.account_id, random_bytes=self._random_bytes, now_ms=self._log.now_ms()
            )
            await self._log.note(connection, "key.add", subject=account_name, key_id=int(api_key.partition("|")[0]))
        return api_key

    async def list(self, account_name: str | None = None) -> tuple[KeyRow, ...]:
        """Keys of one account or of all, without their secrets."""
        async with self._store.reading() as connection:
            account = None if account_name is None else await the_account(connection, account_name)
            return tuple(await keys.every(connection, account.account_id if account else None))

    async def revoke(self, key_id: int) -> None:
        """End a key; running servers refuse it within a second."""
        async with self._store.writing() as connection:
            if not await keys.revoke(connection, key_id, now_ms=self._log.now_ms()):
                raise Refused(f"There is no valid key {key_id}; `heliograph key list` shows them.")
            await self._log.note(connection, "key.revoke", subject=str(key_id))
