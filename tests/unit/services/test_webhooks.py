import base64

import pytest
from sqlalchemy import func, insert, select

from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId, WebhookId
from heliograph.services.accounts import Accounts
from heliograph.services.refused import Refused
from heliograph.services.webhooks import PAGE, Webhooks, is_good_url
from heliograph.store.engine import Store
from heliograph.store.hops.notify import DeliveryState
from heliograph.store.schema import delivery, outbox
from heliograph.store.webhooks import change as change_columns
from tests.unit.services.conftest import NOW_MS, StillClock, Tell

URL = "https://example.com/in"


async def _account(store: Store, clock: StillClock, name: str = "Crane") -> AccountId:
    return (await Accounts(store, clock).add(name)).account.account_id


async def _deliver(store: Store, webhook_id: WebhookId, account_id: AccountId, states: list[DeliveryState]) -> None:
    async with store.writing() as connection:
        for each, state in enumerate(states, start=1):
            await connection.execute(
                insert(delivery).values(
                    id=each,
                    webhook_id=webhook_id,
                    account_id=account_id,
                    kind=EventKind.STATUS,
                    events=1,
                    body=b"{}",
                    state=state,
                    attempts=3,
                    next_at_ms=0,
                    status=500,
                    created_at_ms=NOW_MS,
                    settled_at_ms=None if state is DeliveryState.PENDING else NOW_MS,
                )
            )


@pytest.mark.parametrize(
    "url", ["http://a", "https://a.example:8443/x?y=1", "http://[::1]:80/", "http://127.0.0.1/%7B"]
)
def test_addresses_that_can_be_called(url: str) -> None:
    assert is_good_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a",
        "ftp://a",
        "http://",
        "http://a:99999",
        "http://a:0",
        "http://u:p@a",
        "http://a/#x",
        "http://a b",
        "http://ä",
        "http://a/" + 512 * "x",
        "http://a\\b",
        "http://a/\n",
    ],
)
def test_addresses_that_cannot_be_called(url: str) -> None:
    assert not is_good_url(url)


def test_a_webhook_is_made_with_a_secret_of_its_own(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        account_id = await _account(store, clock)
        webhooks = Webhooks(store, clock)
        first, second = [
            await webhooks.add(account_id, dialect="any", kind=EventKind.STATUS, url=URL) for _ in range(2)
        ]
        assert len(base64.b64decode(first.secret.removeprefix("whsec_"))) == 32
        assert first.secret != second.secret
        assert (first.is_active, first.note, first.created_at_ms) == (True, None, NOW_MS)
        assert await webhooks.list(account_id, "any") == (first, second)
        assert await webhooks.list(account_id, "other") == ()
        with pytest.raises(Refused, match="address is http"):
            await webhooks.add(account_id, dialect="any", kind=EventKind.STATUS, url="example.com")
        with pytest.raises(Refused, match="no account 9"):
            await webhooks.add(AccountId(9), dialect="any", kind=EventKind.STATUS, url=URL)

    tell(story)


def test_another_account_s_webhook_is_unknown(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        owner, stranger = await _account(store, clock), await _account(store, clock, "Stork")
        webhooks = Webhooks(store, clock)
        made = await webhooks.add(owner, dialect="any", kind=EventKind.STATUS, url=URL)
        assert await webhooks.show(stranger, made.webhook_id) is None
        assert await webhooks.change(stranger, made.webhook_id, is_active=False) is None
        assert not await webhooks.remove(stranger, made.webhook_id)
        assert await webhooks.show(owner, made.webhook_id) == made

    tell(story)


def test_switching_on_forgets_why_it_was_switched_off(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        account_id = await _account(store, clock)
        webhooks = Webhooks(store, clock)
        made = await webhooks.add(account_id, dialect="any", kind=EventKind.STATUS, url=URL)
        async with store.writing() as connection:
            await change_columns(connection, made.webhook_id, values={"is_active": False, "note": "dead"})
        changed = await webhooks.change(account_id, made.webhook_id, url=URL + "2")
        assert changed is not None
        assert (changed.url, changed.is_active, changed.note) == (URL + "2", False, "dead")
        changed = await webhooks.change(account_id, made.webhook_id, is_active=True)
        assert changed is not None
        assert (changed.is_active, changed.note) == (True, None)

    tell(story)


def test_a_removed_webhook_is_told_nothing_more_and_its_number_is_not_used_again(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        account_id = await _account(store, clock)
        webhooks = Webhooks(store, clock)
        made = await webhooks.add(account_id, dialect="any", kind=EventKind.STATUS, url=URL)
        await _deliver(store, made.webhook_id, account_id, [DeliveryState.PENDING, DeliveryState.DELIVERED])
        async with store.writing() as connection:
            rows = [
                {"webhook_id": made.webhook_id, "account_id": account_id, "message_id": each, "state": 10}
                | {"at_ms": 1, "recipient": "+27831234567"}
                for each in range(2 * PAGE + 1)
            ]
            await connection.execute(insert(outbox), rows)
        assert await webhooks.remove(account_id, made.webhook_id)
        async with store.reading() as connection:
            assert await connection.scalar(select(func.count()).select_from(outbox)) == 0
        states = [row.state for row in await webhooks.deliveries(account_id, made.webhook_id)]
        assert states == [DeliveryState.DELIVERED, DeliveryState.DEAD]
        again = await webhooks.add(account_id, dialect="any", kind=EventKind.STATUS, url=URL)
        assert again.webhook_id > made.webhook_id

    tell(story)


def test_deliveries_are_told_again_from_the_first_try(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        account_id = await _account(store, clock)
        webhooks = Webhooks(store, clock)
        made = await webhooks.add(account_id, dialect="any", kind=EventKind.STATUS, url=URL)
        dead, delivered = DeliveryState.DEAD, DeliveryState.DELIVERED
        await _deliver(store, made.webhook_id, account_id, [dead, delivered, dead])
        assert await webhooks.replay([2, 77]) == 1
        row = (await webhooks.deliveries(None, made.webhook_id))[1]
        assert (row.delivery_id, row.state, row.attempts, row.next_at_ms) == (2, DeliveryState.PENDING, 0, clock.at_ms)
        assert row.settled_at_ms is None
        assert await webhooks.replay_failed(made.webhook_id) == 2
        assert await webhooks.replay_failed(made.webhook_id) == 0
        assert [row.delivery_id for row in await webhooks.deliveries(None, None, limit=2)] == [3, 2]

    tell(story)
