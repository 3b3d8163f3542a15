import pytest
from sqlalchemy import insert, select

from heliograph.core.directory import Webhook
from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId, MessageId, first_at
from heliograph.core.states import MessageState
from heliograph.services.accounts import Accounts
from heliograph.services.audit import Audit
from heliograph.services.incoming import IncomingMessages, number_from
from heliograph.services.refused import Refused
from heliograph.store import numbers, webhooks
from heliograph.store.engine import Store
from heliograph.store.schema import audit, incoming, incoming_media, media, outbox
from tests.unit.services.conftest import NOW_MS, StillClock, Tell

OURS = "27820000000"
CRANE, STORK = AccountId(1), AccountId(2)
FIRST = first_at(NOW_MS)


def told(webhook: Webhook) -> frozenset[MessageState]:
    return frozenset({MessageState.RECEIVED} if webhook.kind is EventKind.REPLY else ())


async def came(store: Store, place: int, account_id: int = CRANE, *, recipient: str = OURS, told: int = 0) -> MessageId:
    """A message that is there."""
    async with store.writing() as connection:
        await connection.execute(
            insert(incoming).values(
                account_id=account_id,
                id=FIRST + place,
                carrier_id=1,
                sender="27831112222",
                recipient=recipient,
                encoding=0,
                body=b"",
                text=f"text {place}",
                told=told,
                received_at_ms=NOW_MS,
            )
        )
    return MessageId(FIRST + place)


async def listening(store: Store, account_id: AccountId, name: str | None = None) -> int:
    """A webhook that hears of what comes in."""
    values = {"account_id": account_id, "dialect": "plain", "kind": EventKind.REPLY, "url": "https://example.com/"}
    async with store.writing() as connection:
        return await webhooks.add(connection, {**values, "secret": "s", "name": name}, now_ms=NOW_MS)


async def two_accounts(store: Store, clock: StillClock) -> IncomingMessages:
    """Crane, who has the number, and Stork."""
    for name in ("Crane", "Stork"):
        await Accounts(store, clock).add(name, amount=0)
    async with store.writing() as connection:
        await numbers.add(connection, f"+{OURS}", account_id=CRANE, values={}, now_ms=NOW_MS)
    return IncomingMessages(store, clock, told=told)


async def waiting(store: Store) -> list[tuple[int, int, int]]:
    """Webhook, account and message of what is to be told."""
    async with store.reading() as connection:
        columns = (outbox.c.webhook_id, outbox.c.account_id, outbox.c.message_id)
        return [(row[0], row[1], row[2]) for row in await connection.execute(select(*columns).order_by(*columns))]


def test_lists_are_newest_first_and_of_whom_was_asked(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        service = await two_accounts(store, clock)
        for place, account_id in enumerate((CRANE, STORK, 0, CRANE)):
            await came(store, place, account_id, recipient=OURS if place < 3 else "27600")
        assert [view.text for view in await service.list()] == ["text 3", "text 2", "text 1", "text 0"]
        assert [view.text for view in await service.list(limit=2)] == ["text 3", "text 2"]
        assert [view.text for view in await service.list(account_name="Crane")] == ["text 3", "text 0"]
        assert [view.text for view in await service.list(number="+27 82 000 0000")] == ["text 2", "text 1", "text 0"]
        assert [view.text for view in await service.list(account_name="Crane", number="27600")] == ["text 3"]
        with pytest.raises(Refused, match="no account named"):
            await service.list(account_name="Heron")

    tell(story)


def test_one_message_and_its_files(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        service = await two_accounts(store, clock)
        message_id = await came(store, 1, STORK)
        async with store.writing() as connection:
            await connection.execute(
                insert(media).values(digest="d" * 64, content_type="image/png", octets=70, stored_at_ms=1)
            )
            await connection.execute(
                insert(incoming_media).values(account_id=STORK, incoming_id=message_id, position=0, digest="d" * 64)
            )
        view = await service.show(message_id)
        assert (view.account_id, view.text) == (STORK, "text 1")
        assert [(each.digest, each.content_type) for each in view.files] == [("d" * 64, "image/png")]
        with pytest.raises(Refused, match="no incoming message 7"):
            await service.show(MessageId(7))

    tell(story)


def test_replays_go_to_the_own_account_only(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        service = await two_accounts(store, clock)
        mine, theirs = await came(store, 1, CRANE), await came(store, 2, STORK)
        hook, other = await listening(store, CRANE), await listening(store, STORK)
        assert await service.replay([mine, theirs]) == 2
        assert await waiting(store) == [(hook, CRANE, mine), (other, STORK, theirs)]
        assert await service.replay([mine]) == 1
        assert len(await waiting(store)) == 2
        assert [view.told for view in await service.list()] == [1, 2]
        async with store.reading() as connection:
            actions = list(await connection.scalars(select(audit.c.action).where(audit.c.action.like("incoming%"))))
        assert actions == ["incoming.replay"] * 3
        assert await Audit(store, clock).check() == ()

    tell(story)


def test_what_is_nobodys_or_nobody_wants_cannot_be_replayed(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        service = await two_accounts(store, clock)
        mine, lost, theirs = await came(store, 1), await came(store, 2, 0), await came(store, 3, STORK)
        await listening(store, CRANE)
        with pytest.raises(Refused, match="nobody's"):
            await service.replay([mine, lost])
        with pytest.raises(Refused, match="No webhook"):
            await service.replay([theirs])
        with pytest.raises(Refused, match="no incoming message"):
            await service.replay([mine, MessageId(5)])
        with pytest.raises(Refused, match="At most"):
            await service.replay([mine] * 501)
        assert await waiting(store) == []

    tell(story)


def test_a_number_gets_a_webhook_and_what_it_missed(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        service = await two_accounts(store, clock)
        missed = [await came(store, place) for place in range(3)]
        await came(store, 3, told=1)
        await came(store, 4, recipient="27600")
        await came(store, 5, STORK)
        assert await service.replay_untold(OURS) == 0
        hook = await listening(store, CRANE, name="Mine")
        await listening(store, STORK)
        assert await service.replay_untold(OURS) == 0
        async with store.writing() as connection:
            await numbers.change(connection, f"+{OURS}", values={"webhook": "mine"})
        assert await service.replay_untold(f"+{OURS}") == 3
        assert await waiting(store) == [(hook, CRANE, message_id) for message_id in missed]
        assert await service.replay_untold(OURS) == 0
        with pytest.raises(Refused, match="No account has the number"):
            await service.replay_untold("27600")

    tell(story)


@pytest.mark.parametrize("written", ["", "Heliograph", "+", "27x"])
def test_what_is_no_number(written: str) -> None:
    with pytest.raises(Refused):
        number_from(written)
