"""Reads everything that decisions look up, as one snapshot."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.directory import Number, Snapshot, Webhook
from heliograph.core.events import Audience
from heliograph.core.ids import AccountId, WebhookId
from heliograph.core.pricing import card_of
from heliograph.core.routing import table_of
from heliograph.core.states import MessageState
from heliograph.store import accounts, campaigns, carriers, meta, numbers, rates, routes, webhooks

ToldOf = Callable[[Webhook], frozenset[MessageState]]
"""The states that a webhook hears of, as its dialect has it."""


async def load(connection: AsyncConnection, told: ToldOf, *, before: Snapshot | None = None) -> Snapshot:
    """The snapshot in force. Routes of carriers that drain are left out; suspended accounts are in it, as such.

    before: the last one, whose numbers are taken over when none has changed since.
    """
    # The revisions first: what changes meanwhile is read again, never missed.
    revision = await meta.revision(connection)
    numbers_revision = await meta.numbers_revision(connection)
    known = await carriers.every(connection)
    listening = await webhooks.every(connection)
    if before is None or before.numbers_revision != numbers_revision:
        owned: Mapping[str, Number] = await _owned(connection)
    else:
        owned = before.numbers
    return Snapshot(
        revision=revision,
        accounts={account.account_id: account for account in await accounts.every(connection)},
        carriers={carrier.carrier_id: carrier for carrier in known},
        webhooks={webhook.webhook_id: webhook for webhook in listening},
        routing=table_of(
            [row.route for row in await routes.every(connection)],
            {carrier.carrier_id: carrier.channels for carrier in known if not carrier.is_draining},
        ),
        rates=card_of([row.rate for row in await rates.every(connection)]),
        audience=audience_of(listening, owned, told),
        numbers=owned,
        numbers_revision=numbers_revision,
        campaigns=frozenset(await campaigns.approved(connection)),
    )


async def _owned(connection: AsyncConnection) -> dict[str, Number]:
    found: dict[str, Number] = {}
    async for page in numbers.owned(connection):
        found.update((numbers.digits_of(each.msisdn), each) for each in page)
    return found


def audience_of(listening: Sequence[Webhook], owned: Mapping[str, Number], told: ToldOf) -> Audience:
    """Which of these webhooks hear of what; those switched off hear nothing."""
    of_account: dict[tuple[AccountId, MessageState], tuple[WebhookId, ...]] = {}
    of_name: dict[tuple[AccountId, str, MessageState], tuple[WebhookId, ...]] = {}
    for webhook in listening:
        if not webhook.is_active:
            continue
        for state in told(webhook):
            if webhook.name is None:
                place = (webhook.account_id, state)
                of_account[place] = (*of_account.get(place, ()), webhook.webhook_id)
            else:
                named = (webhook.account_id, webhook.name.casefold(), state)
                of_name[named] = (*of_name.get(named, ()), webhook.webhook_id)
    return Audience(of_account, of_name, owned)
