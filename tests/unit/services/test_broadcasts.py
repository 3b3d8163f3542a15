"""Broadcasts are begun once, by those who may, for groups of their own."""

import pytest
from sqlalchemy import select

from heliograph.core.broadcasts import Broadcast, BroadcastState
from heliograph.core.contacts import Contact
from heliograph.core.directory import Account
from heliograph.core.ids import AccountId, BroadcastId, ContactGroupId, ContactId, shown_id, uid_from
from heliograph.core.messages import Channel, IdempotencyKey, Refusal, Submission
from heliograph.core.reasons import Reason
from heliograph.services import broadcasts as module
from heliograph.services.accounts import Accounts
from heliograph.services.broadcasts import MOST_GROUPS, Broadcasts
from heliograph.services.refused import Refused
from heliograph.store import contacts
from heliograph.store.engine import Store
from heliograph.store.schema import audit
from tests.unit.services.conftest import NOW_MS, StillClock, Tell

KEY = IdempotencyKey("k1", "digest")


class Door:
    """Stands for accept: says what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.says: Refusal | None = None
        self.asked: list[Submission] = []

    async def check(self, submission: Submission) -> Refusal | None:
        self.asked.append(submission)
        return self.says


class World:
    """An account with a group of two and an empty one."""

    def __init__(self, store: Store, clock: StillClock) -> None:
        self.store = store
        self.clock = clock
        self.door = Door()
        self.broadcasts = Broadcasts(store, clock, check=self.door.check)

    async def account(self, name: str = "Crane") -> Account:
        return (await Accounts(self.store, self.clock).add(name)).account

    async def group(self, account: Account, name: str, *numbers: str) -> ContactGroupId:
        async with self.store.writing() as connection:
            group = await contacts.add_group(connection, account.account_id, name=name, now_ms=NOW_MS)
            made = [Contact(account.account_id, group.group_id, ContactId(0), each) for each in numbers]
            await contacts.add(connection, account.account_id, group.group_id, made=made, now_ms=NOW_MS)
        return group.group_id

    async def start(self, account_id: AccountId, *groups: int, name: str = "Spring", **changes: object) -> Broadcast:
        answer = await self.answer(account_id, *groups, name=name, **changes)
        assert isinstance(answer, Broadcast)
        return answer

    async def answer(
        self, account_id: AccountId, *groups: int, name: str = "Spring", **changes: object
    ) -> Broadcast | Refusal:
        plain = Submission(account_id, "textboost", Channel.SMS, "Dear {first_name|friend}", ())
        submission = plain._replace(**changes)  # type: ignore[arg-type]
        return await self.broadcasts.start(submission, tuple(map(ContactGroupId, groups)), name=name)


def test_a_broadcast_is_begun_and_shown(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        world = World(store, clock)
        account = await world.account()
        group_id = await world.group(account, "all", "+27831234567", "+27831234568")
        begun = await world.start(account.account_id, group_id, group_id, name=" Spring ")
        assert (begun.state, begun.groups, begun.send_at_ms) == (BroadcastState.RUNNING, (group_id,), 0)
        assert begun.name == "Spring"
        assert await world.broadcasts.show(account.account_id, begun.broadcast_id) == begun
        assert await world.broadcasts.show(AccountId(9), begun.broadcast_id) is None
        # Accept was asked about what somebody gets of whom nothing is known.
        assert [each.text for each in world.door.asked] == ["Dear friend"]
        async with store.reading() as connection:
            noted = await connection.scalar(select(audit.c.action).where(audit.c.subject == str(begun.broadcast_id)))
        assert noted == "broadcast.start"

    tell(story)


@pytest.mark.parametrize("name", ["x" * 121, "two\nlines", "\x1b[2J"])
def test_a_name_that_is_none_is_refused(tell: Tell, clock: StillClock, name: str) -> None:
    async def story(store: Store) -> None:
        world = World(store, clock)
        account = await world.account()
        group_id = await world.group(account, "all", "+27831234567")
        with pytest.raises(Refused, match="at most 120"):
            await world.start(account.account_id, group_id, name=name)
        assert await world.broadcasts.list() == ()

    tell(story)


def test_a_text_of_nothing_but_fields_is_judged_as_it_is_written(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        world = World(store, clock)
        account = await world.account()
        group_id = await world.group(account, "all", "+27831234567")
        await world.start(account.account_id, group_id, text="{first_name}")
        assert world.door.asked[0].text == "{first_name}"

    tell(story)


def test_what_accept_would_refuse_is_not_begun(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        world = World(store, clock)
        account = await world.account()
        group_id = await world.group(account, "all", "+27831234567")
        world.door.says = Refusal(Reason.SENDER_NOT_ALLOWED)
        assert await world.answer(account.account_id, group_id, idempotency=KEY) == world.door.says
        assert await world.broadcasts.list() == ()
        world.door.says = None
        await world.start(account.account_id, group_id, idempotency=KEY)

    tell(story)


def test_groups_are_the_accounts_own_and_not_all_empty(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        world = World(store, clock)
        account, other = await world.account(), await world.account("Heron")
        full, empty = await world.group(account, "all", "+27831234567"), await world.group(account, "none")
        foreign = await world.group(other, "all", "+27831234567")
        its = account.account_id
        # Both accounts may have made a group in the same millisecond: then the number says nothing.
        refused = [await world.answer(its, full, full + 100), await world.answer(other.account_id, empty)]
        assert refused == [Refusal(Reason.NOT_FOUND)] * 2
        assert foreign == full
        assert await world.answer(its, empty) == Refusal(Reason.EMPTY_GROUP)
        assert await world.answer(its) == Refusal(Reason.NO_RECIPIENT)
        assert await world.answer(its, *range(MOST_GROUPS + 1)) == Refusal(Reason.TOO_MANY_RECIPIENTS)
        assert isinstance(await world.answer(its, empty, full), Broadcast)

    tell(story)


def test_a_key_begins_one_broadcast(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        world = World(store, clock)
        account = await world.account()
        group_id = await world.group(account, "all", "+27831234567")
        first = await world.start(account.account_id, group_id, idempotency=KEY)
        assert await world.answer(account.account_id, group_id, idempotency=KEY) == first
        other = KEY._replace(body_digest="another")
        assert await world.answer(account.account_id, group_id, idempotency=other) == Refusal(Reason.KEY_REUSED)
        assert len(await world.broadcasts.list()) == 1

    tell(story)


def test_a_time_to_come_is_waited_for_and_a_past_one_is_at_once(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        world = World(store, clock)
        account = await world.account()
        group_id = await world.group(account, "all", "+27831234567")
        later = await world.start(account.account_id, group_id, send_at_ms=NOW_MS + 1)
        assert (later.state, later.send_at_ms) == (BroadcastState.SCHEDULED, NOW_MS + 1)
        past = await world.start(account.account_id, group_id, send_at_ms=NOW_MS)
        assert (past.state, past.send_at_ms) == (BroadcastState.RUNNING, 0)

    tell(story)


def test_an_account_may_have_so_many_that_are_not_over(
    tell: Tell, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_OPEN", 2)

    async def story(store: Store) -> None:
        world = World(store, clock)
        account = await world.account()
        group_id = await world.group(account, "all", "+27831234567")
        begun = [await world.start(account.account_id, group_id) for _ in range(2)]
        assert await world.answer(account.account_id, group_id) == Refusal(Reason.OVERLOADED)
        await world.broadcasts.cancel(str(begun[0].broadcast_id))
        await world.start(account.account_id, group_id)

    tell(story)


def test_any_id_that_was_shown_finds_a_broadcast(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        world = World(store, clock)
        account, other = await world.account(), await world.account("Heron")
        group_id = await world.group(account, "all", "+27831234567", "+27831234568")
        begun = await world.start(account.account_id, group_id)
        number, mark = begun.broadcast_id, account.mark
        for written in (uid_from(number, mark), shown_id(number, mark), f" {number} "):
            view = await world.broadcasts.find(written)
            assert (view.broadcast, view.account, view.contacts) == (begun, account, 2)
        for wrong in ("", "abc", uid_from(number, other.mark), shown_id(number, other.mark), str(number + 1)):
            with pytest.raises(Refused, match="no broadcast"):
                await world.broadcasts.find(wrong)

    tell(story)


def test_a_cancelled_broadcast_is_over(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        world = World(store, clock)
        account = await world.account()
        group_id = await world.group(account, "all", "+27831234567")
        begun = await world.start(account.account_id, group_id)
        cancelled = (await world.broadcasts.cancel(str(begun.broadcast_id))).broadcast
        assert cancelled == begun._replace(
            state=BroadcastState.CANCELLED, reason=Reason.CANCELLED, ended_at_ms=clock.now_ms()
        )
        with pytest.raises(Refused, match="cancelled already"):
            await world.broadcasts.cancel(str(begun.broadcast_id))

    tell(story)


def test_a_group_that_was_removed_has_no_name_and_no_contacts(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        world = World(store, clock)
        account = await world.account()
        groups = [await world.group(account, name, "+27831234567") for name in ("all", "others")]
        begun = await world.start(account.account_id, *groups)
        async with store.writing() as connection:
            await contacts.remove_group(connection, account.account_id, groups[1])
        (view,) = await world.broadcasts.list("Crane")
        assert [group.name for group in view.groups] == ["all", ""]
        assert view.contacts == 1
        assert view.broadcast.broadcast_id == BroadcastId(begun.broadcast_id)

    tell(story)
