import asyncio
import base64
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from heliograph.core.directory import Webhook
from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId, WebhookId
from heliograph.core.messages import Refusal
from heliograph.core.reasons import Reason
from heliograph.services import webhooks as module
from heliograph.services.accounts import Accounts
from heliograph.services.numbers import NumberOptions, Numbers
from heliograph.services.refused import Refused
from heliograph.services.webhooks import PAGE, WebhookOptions, Webhooks, is_good_url
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


# Webhooks with names ---------------------------------------------------------------------------------------------

SETTINGS = {"description": "Ours", "receipts": True}


async def _put(webhooks: Webhooks, account_id: AccountId, name: str = "Default", **options: object) -> Webhook:
    values: dict[str, Any] = {"dialect": "any", "url": URL, "settings": SETTINGS, **options}
    made = await webhooks.put(account_id, name=name, **values)
    assert isinstance(made, Webhook)
    return made


def test_putting_makes_a_webhook_or_changes_it(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        account_id = await _account(store, clock)
        webhooks = Webhooks(store, clock)
        made = await _put(webhooks, account_id)
        assert (made.name, made.url, made.settings, made.kind) == ("Default", URL, SETTINGS, EventKind.REPLY)
        assert (made.created_at_ms, made.modified_at_ms, made.is_active) == (NOW_MS, NOW_MS, True)
        await clock.sleep(1)
        changed = await _put(webhooks, account_id, url=URL + "2", settings={"receipts": False, "method": "POST"})
        assert changed == replace(
            made,
            url=URL + "2",
            settings={"description": "Ours", "receipts": False, "method": "POST"},
            modified_at_ms=NOW_MS + 1000,
        )
        assert await webhooks.list(account_id) == (changed,)
        async with store.writing() as connection:
            values = {"is_active": False, "note": "dead", "failing_since_ms": 5}
            await change_columns(connection, made.webhook_id, values=values)
        again = await _put(webhooks, account_id)
        assert (again.is_active, again.note) == (True, None)
        # The same name in another dialect is another webhook.
        other = await _put(webhooks, account_id, dialect="other")
        assert other.webhook_id != made.webhook_id
        with pytest.raises(Refused, match="address is http"):
            await webhooks.put(account_id, dialect="any", name="Default", url="example.com", settings={})
        for name in ("", " Default", "x" * 65, "a\tb"):
            with pytest.raises(Refused, match="1 to 64 printable characters"):
                await webhooks.put(account_id, dialect="any", name=name, url=URL, settings={})

    tell(story)


def test_names_are_found_in_any_case_and_given_once(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        account_id = await _account(store, clock)
        webhooks = Webhooks(store, clock)
        made = await _put(webhooks, account_id, "Straße")
        for name in ("Straße", "STRASSE", "strasse"):
            assert await webhooks.named(account_id, dialect="any", name=name) == made
        assert await webhooks.named(account_id, dialect="any", name="Strass") is None
        assert await webhooks.named(account_id, dialect="other", name="Straße") is None
        asked = await webhooks.put(account_id, dialect="any", name="strasse", url=URL + "2", settings={})
        assert asked == Refusal(Reason.NAME_TAKEN)
        with pytest.raises(Refused, match="has the name 'Straße' already"):
            await webhooks.add(
                account_id, dialect="any", kind=EventKind.REPLY, url=URL, options=WebhookOptions(name="STRASSE")
            )
        assert await webhooks.list(account_id) == (made,)

    tell(story)


def test_two_puts_at_once_make_one_webhook(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        account_id = await _account(store, clock)
        webhooks = Webhooks(store, clock)
        made = await asyncio.gather(*(_put(webhooks, account_id) for _ in range(5)))
        assert len({each.webhook_id for each in made}) == 1
        assert len(await webhooks.list(account_id)) == 1

    tell(story)


def test_who_is_suspended_or_has_not_agreed_puts_nothing(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        account_id = await _account(store, clock)
        webhooks, accounts = Webhooks(store, clock), Accounts(store, clock)
        await accounts.change("Crane", has_agreed=False)
        asked = {"dialect": "any", "name": "Default", "url": URL, "settings": {}}
        assert await webhooks.put(account_id, **asked) == Refusal(Reason.NOT_AGREED)  # type: ignore[arg-type]
        await accounts.suspend("Crane")
        assert await webhooks.put(account_id, **asked) == Refusal(Reason.SUSPENDED)  # type: ignore[arg-type]
        assert await webhooks.list(account_id) == ()

    tell(story)


def test_a_stranger_s_name_is_unknown_and_free(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        owner, stranger = await _account(store, clock), await _account(store, clock, "Stork")
        webhooks = Webhooks(store, clock)
        made = await _put(webhooks, owner)
        assert await webhooks.named(stranger, dialect="any", name="Default") is None
        assert await webhooks.remove_named(stranger, dialect="any", name="Default") is None
        theirs = await _put(webhooks, stranger, url=URL + "/stork")
        assert theirs.webhook_id != made.webhook_id
        assert await webhooks.remove_named(stranger, dialect="any", name="default") == theirs
        assert await webhooks.list() == (made,)

    tell(story)


@pytest.mark.parametrize("has_namesake", [False, True])
def test_a_webhook_that_is_removed_is_taken_from_numbers(
    tell: Tell, clock: StillClock, monkeypatch: pytest.MonkeyPatch, has_namesake: bool
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)

    async def story(store: Store) -> None:
        owner, stranger = await _account(store, clock), await _account(store, clock, "Stork")
        webhooks, numbers = Webhooks(store, clock), Numbers(store, clock)
        for account_id in (owner, stranger):
            await _put(webhooks, account_id)
        if has_namesake:
            await _put(webhooks, owner, "DEFAULT", dialect="other")
        for digit in range(5):
            await numbers.add("Crane", f"+2783123456{digit}", options=NumberOptions(webhook="Default"))
        await numbers.add("Stork", "+27831234569", options=NumberOptions(webhook="Default"))
        removed = await webhooks.remove_named(owner, dialect="any", name="default")
        assert removed is not None
        assert removed.name == "Default"
        assert await webhooks.remove_named(owner, dialect="any", name="default") is None
        kept = "Default" if has_namesake else None
        assert [each.webhook for each in await numbers.of_account(owner)] == [kept] * 5
        assert [each.webhook for each in await numbers.of_account(stranger)] == ["Default"]

    tell(story)


def test_settings_are_added_changed_and_taken_away(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        account_id = await _account(store, clock)
        webhooks = Webhooks(store, clock)
        made = await _put(webhooks, account_id)
        changed = await webhooks.change(account_id, made.webhook_id, settings={"receipts": None, "plain": True})
        assert changed is not None
        assert changed.settings == {"description": "Ours", "plain": True}

    tell(story)
