"""Webhooks: made, looked at, changed and removed by their account; their deliveries listed and asked for again."""

import base64
import os
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from heliograph.core.directory import Webhook
from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId, WebhookId
from heliograph.net.clock import Clock
from heliograph.services.changes import ChangeLog
from heliograph.services.refused import Refused
from heliograph.store import accounts, deliveries, webhooks
from heliograph.store.connection import Connection
from heliograph.store.deliveries import DeliveryRow
from heliograph.store.engine import Store

URL_CHARS = 512
PAGE = 500
"""Rows that one transaction changes at most."""


def is_good_url(url: str) -> bool:
    """Whether an address can be called at all: http or https, a host, a port if any, and nothing that hides.

    Whether we may call it is judged when we connect.

    >>> is_good_url("https://example.com:8443/in?x=1"), is_good_url("https://me:pw@example.com/"), is_good_url("/in")
    (True, False, False)
    """
    if len(url) > URL_CHARS or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return False
    try:
        address = urlsplit(url)
        has_place = bool(address.hostname) and address.port != 0
    except ValueError:
        return False
    return has_place and address.scheme in ("http", "https") and "@" not in address.netloc and not address.fragment


async def _nobody_follows() -> None:
    """What a command does after a change: running servers look for themselves."""


class Webhooks:
    """An account's webhooks. Ids of other accounts' webhooks are as unknown as ones that never were.

    changed: awaited after each change, so that this process's own decisions follow it at once.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        actor: str = "operator",
        random_bytes: Callable[[int], bytes] = os.urandom,
        changed: Callable[[], Awaitable[None]] = _nobody_follows,
    ) -> None:
        self._store = store
        self._changed = changed
        self._log = ChangeLog(clock, actor)
        self._random_bytes = random_bytes

    async def add(self, account_id: AccountId, *, dialect: str, kind: EventKind, url: str) -> Webhook:
        """Make a webhook with a secret of its own (32 random octets)."""
        _check_url(url)
        secret = "whsec_" + base64.b64encode(self._random_bytes(32)).decode()
        async with self._store.writing() as connection:
            if await accounts.numbered(connection, account_id) is None:
                raise Refused(f"There is no account {account_id}.")
            webhook_id = await webhooks.add(
                connection,
                {"account_id": account_id, "dialect": dialect, "kind": kind, "url": url, "secret": secret},
                now_ms=self._log.now_ms(),
            )
            await self._log.note(
                connection, "webhook.add", subject=str(webhook_id), account_id=account_id, dialect=dialect, url=url
            )
            made = await webhooks.numbered(connection, webhook_id)
        assert made is not None
        await self._changed()
        return made

    async def list(self, account_id: AccountId | None = None, dialect: str | None = None) -> tuple[Webhook, ...]:
        """Webhooks of an account (None: of all), of one dialect or of all."""
        async with self._store.reading() as connection:
            return tuple(await webhooks.every(connection, account_id, dialect=dialect))

    async def show(self, account_id: AccountId | None, webhook_id: WebhookId) -> Webhook | None:
        """The webhook, if the account has it. account_id: None for whosever it is."""
        async with self._store.reading() as connection:
            return await _own(connection, webhook_id, account_id=account_id)

    async def change(
        self, account_id: AccountId, webhook_id: WebhookId, *, url: str | None = None, is_active: bool | None = None
    ) -> Webhook | None:
        """Change what is not None; None when the account has no such webhook. Switching on forgets past failures."""
        values: dict[str, object] = {}
        if url is not None:
            _check_url(url)
            values["url"] = url
        if is_active is not None:
            values["is_active"] = is_active
        if is_active:
            values |= {"note": None, "failing_since_ms": None}
        async with self._store.writing() as connection:
            if await _own(connection, webhook_id, account_id=account_id) is None:
                return None
            if values:
                await webhooks.change(connection, webhook_id, values=values)
                await self._log.note(connection, "webhook.set", subject=str(webhook_id), **values)
            made = await webhooks.numbered(connection, webhook_id)
        await self._changed()
        return made

    async def remove(self, account_id: AccountId | None, webhook_id: WebhookId) -> bool:
        """Forget a webhook and what it was still to be told; False when the account has no such webhook."""
        async with self._store.writing() as connection:
            if await _own(connection, webhook_id, account_id=account_id) is None:
                return False
            await webhooks.remove(connection, webhook_id)
            await self._log.note(connection, "webhook.remove", subject=str(webhook_id))
        await self._changed()
        has_more = True
        while has_more:
            async with self._store.writing() as connection:
                has_more = await deliveries.drop(connection, webhook_id, limit=PAGE, now_ms=self._log.now_ms())
        return True

    async def deliveries(
        self, account_id: AccountId | None, webhook_id: WebhookId | None, *, limit: int = 50
    ) -> tuple[DeliveryRow, ...]:
        """Newest deliveries of an account, of a webhook, or of all."""
        async with self._store.reading() as connection:
            return tuple(await deliveries.newest(connection, account_id=account_id, webhook_id=webhook_id, limit=limit))

    async def replay(self, delivery_ids: Sequence[int]) -> int:
        """Deliver again, with the same bytes, whatever came of it before; returns how many deliveries are due now."""
        count = 0
        for start in range(0, len(delivery_ids), PAGE):
            some = delivery_ids[start : start + PAGE]
            async with self._store.writing() as connection:
                count += await deliveries.again(connection, some, now_ms=self._log.now_ms())
                await self._log.note(connection, "webhook.replay", subject=f"{len(some)} deliveries", ids=list(some))
        return count

    async def replay_failed(self, webhook_id: WebhookId) -> int:
        """Deliver again everything that was given up for a webhook."""
        ids: list[int] = []
        while True:
            async with self._store.reading() as connection:
                some = await deliveries.failed_ids(connection, webhook_id, after=ids[-1] if ids else 0, limit=PAGE)
            ids += some
            if len(some) < PAGE:
                return await self.replay(ids)


def _check_url(url: str) -> None:
    if not is_good_url(url):
        raise Refused(
            f"A webhook's address is http:// or https:// with a host, without user or fragment, "
            f"of at most {URL_CHARS} characters."
        )


async def _own(connection: Connection, webhook_id: WebhookId, *, account_id: AccountId | None) -> Webhook | None:
    found = await webhooks.numbered(connection, webhook_id)
    return found if found is not None and account_id in (None, found.account_id) else None
