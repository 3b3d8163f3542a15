"""Webhooks: made, looked at, changed and removed by their account; their deliveries listed and asked for again."""

import base64
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from heliograph.core.directory import Webhook
from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId, WebhookId
from heliograph.core.messages import Refusal
from heliograph.core.reasons import Reason
from heliograph.net.clock import Clock
from heliograph.services.changes import ChangeLog, account_numbered, good_name, nobody_follows, refusal_of, same_name
from heliograph.services.refused import Refused
from heliograph.store import deliveries, numbers, webhooks
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


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookOptions:
    """What a webhook may have beside an address. name: by which numbers choose it. settings: its dialect's own."""

    name: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)


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
        changed: Callable[[], Awaitable[None]] = nobody_follows,
    ) -> None:
        self._store = store
        self._changed = changed
        self._log = ChangeLog(clock, actor)
        self._random_bytes = random_bytes

    async def add(
        self,
        account_id: AccountId,
        *,
        dialect: str,
        kind: EventKind,
        url: str,
        options: WebhookOptions = WebhookOptions(),
    ) -> Webhook:
        """Make a webhook with a secret of its own (32 random octets). A name is one of its kind in the dialect."""
        _check_url(url)
        if options.name is not None:
            good_name(options.name, what="a webhook")
        async with self._store.writing() as connection:
            await account_numbered(connection, account_id)
            if options.name is not None:
                known = await _named(connection, account_id, dialect=dialect, name=options.name)
                if known is not None:
                    raise Refused(f"Webhook {known.webhook_id} has the name {known.name!r} already.")
            made = await self._make(connection, account_id, dialect=dialect, kind=kind, url=url, options=options)
        await self._changed()
        return made

    async def _make(
        self,
        connection: Connection,
        account_id: AccountId,
        *,
        dialect: str,
        kind: EventKind,
        url: str,
        options: WebhookOptions,
    ) -> Webhook:
        now_ms = self._log.now_ms()
        values = {
            "account_id": account_id,
            "dialect": dialect,
            "kind": kind,
            "url": url,
            "secret": "whsec_" + base64.b64encode(self._random_bytes(32)).decode(),
            "name": options.name,
            "settings": dict(options.settings),
            "modified_at_ms": now_ms,
        }
        webhook_id = await webhooks.add(connection, values, now_ms=now_ms)
        told = {name: value for name, value in values.items() if name not in ("secret", "modified_at_ms")}
        await self._log.note(connection, "webhook.add", subject=str(webhook_id), **told)
        return await _the_webhook(connection, webhook_id)

    async def put(
        self, account_id: AccountId, *, dialect: str, name: str, url: str, settings: Mapping[str, object]
    ) -> Webhook | Refusal:
        """Make the webhook with a name, of kind `REPLY`, or change its address and these settings, and switch it on.

        SUSPENDED, NOT_AGREED; NAME_TAKEN when there is one whose name differs only in the case of its letters.
        """
        _check_url(url)
        good_name(name, what="a webhook")
        async with self._store.writing() as connection:
            refusal = refusal_of(await account_numbered(connection, account_id))
            if refusal is not None:
                return refusal
            known = await _named(connection, account_id, dialect=dialect, name=name)
            if known is None:
                options = WebhookOptions(name=name, settings=settings)
                made = await self._make(
                    connection, account_id, dialect=dialect, kind=EventKind.REPLY, url=url, options=options
                )
            elif known.name != name:
                return Refusal(Reason.NAME_TAKEN)
            else:
                values = {"url": url, "settings": {**known.settings, **settings}, "is_active": True}
                made = await self._set(connection, known.webhook_id, values=values)
        await self._changed()
        return made

    async def named(self, account_id: AccountId, *, dialect: str, name: str) -> Webhook | None:
        """The webhook of a dialect with a name, whatever the case of its letters."""
        async with self._store.reading() as connection:
            return await _named(connection, account_id, dialect=dialect, name=name)

    async def list(self, account_id: AccountId | None = None, dialect: str | None = None) -> tuple[Webhook, ...]:
        """Webhooks of an account (None: of all), of one dialect or of all."""
        async with self._store.reading() as connection:
            return tuple(await webhooks.every(connection, account_id, dialect=dialect))

    async def show(self, account_id: AccountId | None, webhook_id: WebhookId) -> Webhook | None:
        """The webhook, if the account has it. account_id: None for whosever it is."""
        async with self._store.reading() as connection:
            return await _own(connection, webhook_id, account_id=account_id)

    async def change(
        self,
        account_id: AccountId,
        webhook_id: WebhookId,
        *,
        url: str | None = None,
        is_active: bool | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> Webhook | None:
        """Change what is not None; None when the account has no such webhook. Switching on forgets past failures.

        settings: those to add or to change; one that is None is taken away.
        """
        values: dict[str, object] = {}
        if url is not None:
            _check_url(url)
            values["url"] = url
        if is_active is not None:
            values["is_active"] = is_active
        async with self._store.writing() as connection:
            made = await _own(connection, webhook_id, account_id=account_id)
            if made is None:
                return None
            if settings is not None:
                both = {**made.settings, **settings}
                values["settings"] = {name: value for name, value in both.items() if value is not None}
            if values:
                made = await self._set(connection, webhook_id, values=values)
        await self._changed()
        return made

    async def _set(self, connection: Connection, webhook_id: WebhookId, *, values: Mapping[str, object]) -> Webhook:
        forgotten = {"note": None, "failing_since_ms": None} if values.get("is_active") else {}
        await webhooks.change(
            connection, webhook_id, values={**values, **forgotten, "modified_at_ms": self._log.now_ms()}
        )
        await self._log.note(connection, "webhook.set", subject=str(webhook_id), **values)
        return await _the_webhook(connection, webhook_id)

    async def remove(self, account_id: AccountId | None, webhook_id: WebhookId) -> bool:
        """Forget a webhook and what it was still to be told; False when the account has no such webhook.

        Numbers that name it name none then, unless another webhook has the name too.
        """
        async with self._store.reading() as connection:
            known = await _own(connection, webhook_id, account_id=account_id)
        return known is not None and await self._remove(known)

    async def remove_named(self, account_id: AccountId, *, dialect: str, name: str) -> Webhook | None:
        """Forget the webhook of a dialect with a name, in any case; returns what it was, None when there was none."""
        known = await self.named(account_id, dialect=dialect, name=name)
        return known if known is not None and await self._remove(known) else None

    async def _remove(self, known: Webhook) -> bool:
        """In turns: the numbers, the webhook, what it was to be told. What stops half-way can be done again."""
        has_more = True
        while has_more:
            async with self._store.writing() as connection:
                if await webhooks.numbered(connection, known.webhook_id) is None:
                    return False
                has_more = await _detach(connection, known) == PAGE
                if not has_more:
                    await webhooks.remove(connection, known.webhook_id)
                    await self._log.note(connection, "webhook.remove", subject=str(known.webhook_id), name=known.name)
        await self._changed()
        await _drop(self._store, known.webhook_id, now_ms=self._log.now_ms())
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
        return await self.replay(await _failed(self._store, webhook_id))


def _check_url(url: str) -> None:
    if not is_good_url(url):
        raise Refused(
            f"A webhook's address is http:// or https:// with a host, without user or fragment, "
            f"of at most {URL_CHARS} characters."
        )


async def _own(connection: Connection, webhook_id: WebhookId, *, account_id: AccountId | None) -> Webhook | None:
    found = await webhooks.numbered(connection, webhook_id)
    return found if found is not None and account_id in (None, found.account_id) else None


async def _failed(store: Store, webhook_id: WebhookId) -> list[int]:
    """The deliveries of a webhook that were given up."""
    ids: list[int] = []
    while True:
        async with store.reading() as connection:
            some = await deliveries.failed_ids(connection, webhook_id, after=ids[-1] if ids else 0, limit=PAGE)
        ids += some
        if len(some) < PAGE:
            return ids


async def _drop(store: Store, webhook_id: WebhookId, *, now_ms: int) -> None:
    """Forget what a webhook that is gone was still to be told."""
    has_more = True
    while has_more:
        async with store.writing() as connection:
            has_more = await deliveries.drop(connection, webhook_id, limit=PAGE, now_ms=now_ms)


async def _the_webhook(connection: Connection, webhook_id: WebhookId) -> Webhook:
    found = await webhooks.numbered(connection, webhook_id)
    assert found is not None
    return found


async def _named(connection: Connection, account_id: AccountId, *, dialect: str, name: str) -> Webhook | None:
    known = {each.name: each for each in await webhooks.every(connection, account_id, dialect=dialect) if each.name}
    found = same_name(name, known)
    return None if found is None else known[found]


async def _detach(connection: Connection, known: Webhook) -> int:
    """Take a name from a page of the account's numbers; how many. None when another webhook of the account has it."""
    if known.name is None:
        return 0
    alike = [each for each in await webhooks.every(connection, known.account_id) if each.name is not None]
    if any(each.webhook_id != known.webhook_id and same_name(known.name, [each.name or ""]) for each in alike):
        return 0
    names = await numbers.webhooks_named(connection, known.account_id)
    spelt = [each for each in names if same_name(known.name, [each])]
    return await numbers.detach(connection, known.account_id, column="webhook", names=spelt, most=PAGE)
