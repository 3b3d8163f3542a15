"""Reads everything that decisions look up, as one snapshot."""

from collections.abc import Callable, Sequence

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


async def load(connection: AsyncConnection, told: ToldOf) -> Snapshot:
    """The snapshot in force. Routes of carriers that drain are left out; suspended accounts are in it, as such."""
    # The revision first: what changes meanwhile is read again, never missed.
    revision = await meta.revision(connection)
    known = await carriers.every(connection)
    listening = await webhooks.every(connection)
    owned = await numbers.owned(connection)
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
        numbers={number.msisdn.removeprefix("+"): number for number in owned},
        campaigns=frozenset(await campaigns.approved(connection)),
    )


def audience_of(listening: Sequence[Webhook], owned: Sequence[Number], told: ToldOf) -> Audience:
    """Which of these webhooks hear of what; those switched off hear nothing. Names differ by more than their case."""
    of_account: dict[tuple[AccountId, MessageState], tuple[WebhookId, ...]] = {}
    of_number: dict[tuple[AccountId, str, MessageState], tuple[WebhookId, ...]] = {}
    named: dict[tuple[AccountId, str], list[Webhook]] = {}
    for webhook in listening:
        if not webhook.is_active:
            continue
        if webhook.name is not None:
            named.setdefault((webhook.account_id, webhook.name.casefold()), []).append(webhook)
            continue
        for state in told(webhook):
            place = (webhook.account_id, state)
            of_account[place] = (*of_account.get(place, ()), webhook.webhook_id)
    for number in owned:
        for webhook in named.get((number.account_id, (number.webhook or "").casefold()), ()):
            for state in told(webhook):
                told_of = (number.account_id, number.msisdn.removeprefix("+"), state)
                of_number[told_of] = (*of_number.get(told_of, ()), webhook.webhook_id)
    return Audience(of_account, of_number)
