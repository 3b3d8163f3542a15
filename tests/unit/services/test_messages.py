import pytest
from sqlalchemy import insert, select

from heliograph.core.directory import Webhook
from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId, MessageId, shown_id, uid_from
from heliograph.core.ledger import Balance
from heliograph.core.listing import Listing
from heliograph.core.messages import Report
from heliograph.core.reasons import Reason
from heliograph.core.states import Charge, MessageState
from heliograph.services.accounts import Accounts, NewAccount
from heliograph.services.audit import Audit
from heliograph.services.messages import RESOLUTIONS, Messages
from heliograph.services.refused import Refused
from heliograph.services.webhooks import Webhooks
from heliograph.store import reports
from heliograph.store.engine import Store
from heliograph.store.schema import incoming, outbox, ready
from tests.unit.services.conftest import Accept, StillClock, Tell

S = MessageState
CREDITS = 10_000_000
PRICE = 2_000_000


def told(webhook: Webhook) -> frozenset[MessageState]:
    """Webhooks of this dialect hear of two ends."""
    is_heard = (webhook.dialect, webhook.kind) == ("any", EventKind.STATUS)
    return frozenset({S.CANCELLED, S.DELIVERED}) if is_heard else frozenset()


async def _crane(store: Store, clock: StillClock) -> NewAccount:
    return await Accounts(store, clock).add("Crane", amount=CREDITS)


def test_a_message_is_found_by_every_id_it_was_shown_under(tell: Tell, clock: StillClock, accept: Accept) -> None:
    async def story(store: Store) -> None:
        account = (await _crane(store, clock)).account
        stranger = (await Accounts(store, clock).add("Stork")).account
        message_id = await accept(store, account.account_id)
        messages = Messages(store, clock, told=told)
        shown = shown_id(message_id, account.mark)
        uid = uid_from(message_id, account.mark)
        dashed = f"{shown[:8]}-{shown[8:12]}-{shown[12:16]}-{shown[16:20]}-{shown[20:]}"
        for written in (str(message_id), shown, shown.upper(), dashed, uid, uid.upper()):
            view = await messages.find(written)
            assert (view.message_id, view.text, view.sender, view.reference) == (message_id, "Good day", "Crane", "r1")
        for written in ("", "x", "7", shown_id(message_id, stranger.mark), shown[:-1], "f" * 32, "9" * 19):
            with pytest.raises(Refused, match="no message"):
                await messages.find(written)
        with pytest.raises(Refused, match="no message"):
            await messages.find(uid_from(message_id, stranger.mark))
        assert await messages.show(stranger.account_id, message_id) is None

    tell(story)


def test_cancelling_gives_the_price_back_and_tells_those_who_listen(
    tell: Tell, clock: StillClock, accept: Accept
) -> None:
    async def story(store: Store) -> None:
        account_id = (await _crane(store, clock)).account.account_id
        webhooks = Webhooks(store, clock)
        heard = [
            await webhooks.add(account_id, dialect=dialect, kind=kind, url="http://a")
            for dialect, kind in (("any", EventKind.STATUS), ("any", EventKind.REPLY), ("any", EventKind.STATUS))
        ]
        await webhooks.change(account_id, heard[2].webhook_id, is_active=False)
        message_id = await accept(store, account_id)
        messages = Messages(store, clock, told=told)
        view = await messages.cancel(str(message_id))
        assert (view.state, view.charge, view.reason) == (S.CANCELLED, Charge.RELEASED, Reason.CANCELLED)
        assert view.settled_at_ms == clock.at_ms
        assert await Accounts(store, clock).balance(account_id) == Balance(CREDITS, 0, 0)
        async with store.reading() as connection:
            rows = (await connection.execute(select(outbox))).all()
        assert [(row.webhook_id, row.message_id, row.state) for row in rows] == [
            (heard[0].webhook_id, message_id, S.CANCELLED)
        ]
        with pytest.raises(Refused, match="is cancelled: only one that is scheduled or queued"):
            await messages.cancel(str(message_id))
        assert await Audit(store).check() == ()

    tell(story)


@pytest.mark.parametrize("state", [S.SUBMITTED, S.HELD, S.DELIVERED])
def test_what_has_left_cannot_be_cancelled(tell: Tell, clock: StillClock, accept: Accept, state: MessageState) -> None:
    async def story(store: Store) -> None:
        account_id = (await _crane(store, clock)).account.account_id
        message_id = await accept(store, account_id, state)
        messages = Messages(store, clock, told=told)
        with pytest.raises(Refused, match="can be cancelled"):
            await messages.cancel(str(message_id))
        assert (await messages.find(str(message_id))).state is state
        assert (await Accounts(store, clock).balance(account_id)).held == PRICE

    tell(story)


@pytest.mark.parametrize("state", RESOLUTIONS)
def test_resolving_settles_state_and_price_once(
    tell: Tell, clock: StillClock, accept: Accept, state: MessageState
) -> None:
    async def story(store: Store) -> None:
        account_id = (await _crane(store, clock)).account.account_id
        message_id = await accept(store, account_id, S.HELD)
        messages = Messages(store, clock, told=told)
        clock.at_ms += 5
        view = await messages.resolve(str(message_id), state)
        is_due = state in (S.DELIVERED, S.UNDELIVERED, S.EXPIRED)
        assert view.state is state
        assert (view.reason is None) == (state is S.DELIVERED)
        assert await Accounts(store, clock).balance(account_id) == (
            Balance(CREDITS - PRICE, 0, PRICE) if is_due else Balance(CREDITS, 0, 0)
        )
        if state is S.DELIVERED:
            assert (view.accepted, view.delivered) == (2, 2)
        trace = await messages.trace(str(message_id))
        assert [event.state for event in trace.events] == [S.HELD, state]
        with pytest.raises(Refused, match="only one that is held"):
            await messages.resolve(str(message_id), state)
        assert await Audit(store).check() == ()

    tell(story)


@pytest.mark.parametrize("state", [S.QUEUED, S.SUBMITTED, S.HELD])
def test_a_message_is_resolved_as_an_end_only(
    tell: Tell, clock: StillClock, accept: Accept, state: MessageState
) -> None:
    async def story(store: Store) -> None:
        account_id = (await _crane(store, clock)).account.account_id
        message_id = await accept(store, account_id, S.HELD)
        with pytest.raises(Refused, match="resolved as delivered, undelivered"):
            await Messages(store, clock, told=told).resolve(str(message_id), state)

    tell(story)


def test_messages_are_listed_newest_first_over_many_reads(
    tell: Tell, clock: StillClock, accept: Accept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heliograph.services.messages.STRETCH", 3)

    async def story(store: Store) -> None:
        crane = (await _crane(store, clock)).account.account_id
        stork = (await Accounts(store, clock).add("Stork")).account.account_id
        queued = [await accept(store, AccountId(each)) for each in (crane, stork, crane, crane)]
        held = [await accept(store, crane, S.HELD) for _ in range(5)]
        queued.append(await accept(store, crane))
        messages = Messages(store, clock, told=told)
        newest = queued[::-1]
        found = await messages.list(state=S.QUEUED)
        assert [view.message_id for view in found] == newest
        assert [view.message_id for view in await messages.list(state=S.QUEUED, limit=2)] == newest[:2]
        assert [view.message_id for view in await messages.list(limit=3)] == [queued[-1], held[4], held[3]]
        assert [view.message_id for view in await messages.list(account_name="Stork")] == [queued[1]]
        assert len(await messages.list()) == 10
        with pytest.raises(Refused, match="no account"):
            await messages.list(account_name="Heron")

    tell(story)


def test_a_cancelled_scheduled_message_waits_no_more(tell: Tell, clock: StillClock, accept: Accept) -> None:
    async def story(store: Store) -> None:
        account_id = (await _crane(store, clock)).account.account_id
        at_ms = clock.now_ms() + 10**9
        scheduled, other = [await accept(store, account_id, S.SCHEDULED, send_at_ms=at_ms) for _ in range(2)]
        messages = Messages(store, clock, told=told)
        assert [view.message_id for view in await messages.list(state=S.SCHEDULED)] == [other, scheduled]
        view = await messages.cancel(str(scheduled))
        assert (view.state, view.charge, view.send_at_ms) == (S.CANCELLED, Charge.RELEASED, at_ms)
        async with store.reading() as connection:
            assert list(await connection.execute(select(ready))) == [(at_ms, account_id, other, 0)]
        with pytest.raises(Refused, match="only one that is scheduled or queued"):
            await messages.cancel(str(scheduled))
        assert await Audit(store).check() == ()

    tell(story)


async def came(store: Store, account_id: AccountId, identifier: int) -> None:
    """A message from a handset."""
    async with store.writing() as connection:
        await connection.execute(
            insert(incoming).values(
                account_id=account_id, id=identifier, carrier_id=1, sender="27831234567", recipient="27820000001",
                encoding=0, body=b"", text="Hello back", received_at_ms=1,
            )
        )  # fmt: skip


def test_an_account_sees_both_directions_newest_first(tell: Tell, clock: StillClock, accept: Accept) -> None:
    async def story(store: Store) -> None:
        account_id = (await _crane(store, clock)).account.account_id
        stranger = (await Accounts(store, clock).add("Stork")).account.account_id
        messages = Messages(store, clock, told=told)
        assert await messages.reports(account_id, page=1, per_page=25) == Listing([], 0)
        ids = []
        for _ in range(3):
            ids.append(await accept(store, account_id))
            # Beside each of them one that came, with an id of its own.
            await came(store, account_id, ids[-1] + 10**6)
            ids.append(MessageId(ids[-1] + 10**6))
        newest = sorted(ids, reverse=True)
        listed = [(await messages.reports(account_id, page=page, per_page=4)) for page in (1, 2, 3)]
        assert [[report.message_id for report in each.items] for each in listed] == [newest[:4], newest[4:], []]
        assert {each.total for each in listed} == {6}
        sent, received = await messages.report(account_id, ids[0]), await messages.report(account_id, ids[1])
        assert sent == Report(ids[0], "Crane", "27831234567", "Good day", S.QUEUED, PRICE)
        assert received == Report(ids[1], "27831234567", "27820000001", "Hello back", S.RECEIVED)
        assert sent in listed[1].items
        for identifier in ids:
            assert await messages.report(stranger, identifier) is None
        assert (await messages.reports(stranger, page=1, per_page=25)).total == 0

    tell(story)


def test_a_list_is_counted_and_read_so_far_and_no_farther(
    tell: Tell, clock: StillClock, accept: Accept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "MOST", 3)

    async def story(store: Store) -> None:
        account_id = (await _crane(store, clock)).account.account_id
        for _ in range(5):
            await accept(store, account_id)
        messages = Messages(store, clock, told=told)
        page = await messages.reports(account_id, page=2, per_page=2)
        assert (len(page.items), page.total) == (2, 3)
        assert await messages.reports(account_id, page=3, per_page=2) == Listing([], 3)

    tell(story)
