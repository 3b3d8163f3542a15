"""Reads everything that decisions look up, as one snapshot."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.directory import Snapshot, Webhook
from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId, WebhookId
from heliograph.core.pricing import card_of
from heliograph.core.routing import table_of
from heliograph.core.states import MessageState
from heliograph.store import accounts, carriers, meta, rates, routes, webhooks

ToldOf = Callable[[str, EventKind], frozenset[MessageState]]
"""The states that webhooks of a dialect and a kind hear of."""


async def load(connection: AsyncConnection, told: ToldOf) -> Snapshot:
    """The snapshot in force. Routes of carriers that drain are left out; suspended accounts are in it, as such."""
    # The revision first: what changes meanwhile is read again, never missed.
    revision = await meta.revision(connection)
    known = await carriers.every(connection)
    listening = await webhooks.every(connection)
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
        told=told_by(listening, told),
    )


def told_by(listening: list[Webhook], told: ToldOf) -> dict[tuple[AccountId, MessageState], tuple[WebhookId, ...]]:
    """Which of these webhooks want to hear of a state of an account's messages; those switched off hear nothing."""
    found: dict[tuple[AccountId, MessageState], tuple[WebhookId, ...]] = {}
    for webhook in listening:
        if webhook.is_active:
            for state in told(webhook.dialect, webhook.kind):
                place = (webhook.account_id, state)
                found[place] = (*found.get(place, ()), webhook.webhook_id)
    return found
