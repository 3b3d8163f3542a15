"""A broadcast becomes messages a page at a time: everybody once, whatever happens between."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heliograph.core.broadcasts import Broadcast, BroadcastState
from heliograph.core.contacts import Contact
from heliograph.core.ids import AccountId, BroadcastId, ContactGroupId, ContactId
from heliograph.core.ledger import PostingKind
from heliograph.core.messages import NO_TRAITS, Accepted, Channel, Overtaken, Refusal, Submission
from heliograph.core.reasons import Reason
from heliograph.pipeline import broadcast as module
from heliograph.pipeline.broadcast import AT_ONCE, FULL_S, LOOK_S, RETRY_S, Expansion
from heliograph.store import broadcasts, contacts, postings
from heliograph.store.engine import StoreFailed, StoreUnavailable
from heliograph.store.sqlite import SqliteStore
from heliograph.testing.clock import VirtualClock
from heliograph.testing.life import ACME, BRAVO, NORTH, SOUTH, TERMS, Process, copied_store, let_go, pattern_store
from tests.unit.pipeline.conftest import Play
from tests.unit.pipeline.stories import change_account, change_carrier, rows

TEXT = "Dear {first_name|friend}, {city}"


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 3)
    monkeypatch.setattr(module, "PIECE", 2)


def numbers(first: int, count: int) -> list[str]:
    return [f"+2783{place:07d}" for place in range(first, first + count)]


async def group(process: Process, msisdns: Sequence[str], account_id: AccountId = ACME) -> ContactGroupId:
    """A group whose contacts have a first name, every second one."""
    now_ms = process.clock.now_ms()
    async with process.store.writing() as connection:
        known = await contacts.count_of_groups(connection, account_id)
        made = await contacts.add_group(connection, account_id, name=f"group {known}", now_ms=now_ms)
    await add(process, made.group_id, msisdns, account_id)
    return made.group_id


async def add(
    process: Process, group_id: ContactGroupId, msisdns: Sequence[str], account_id: AccountId = ACME, name: str = "Ann"
) -> None:
    made = [
        Contact(account_id, group_id, ContactId(0), each, "" if place % 2 else name, fields={"city": f"C{place}"})
        for place, each in enumerate(msisdns)
    ]
    async with process.store.writing() as connection:
        await contacts.add(connection, account_id, group_id, made=made, now_ms=process.clock.now_ms())


async def begin(process: Process, *groups: ContactGroupId, account_id: AccountId = ACME, **changes: Any) -> Broadcast:
    wanted = Broadcast(
        account_id, BroadcastId(0), "", "plain", Channel.SMS, None, TEXT, NO_TRAITS, (), groups, 0,
        BroadcastState.RUNNING, created_at_ms=process.clock.now_ms(),
    )._replace(**changes)  # fmt: skip
    async with process.store.writing() as connection:
        known = await broadcasts.sizes(connection, account_id, groups)
        return await broadcasts.add(connection, wanted, known.values())


async def found(process: Process, begun: Broadcast) -> Broadcast:
    async with process.store.reading() as connection:
        there = await broadcasts.find(connection, begun.account_id, begun.broadcast_id)
    assert there is not None
    return there


def expansion(process: Process, **parts: Any) -> Expansion:
    chosen: dict[str, Any] = {"acceptance": process.acceptance, "room": process.dispatch, "terms": TERMS}
    return Expansion(process.desk, **{**chosen, **parts})


async def _until(is_so: Callable[[], bool]) -> None:
    """Wait for what the threads of the store's connections bring about."""
    while not is_so():  # noqa: ASYNC110 (no event of ours is set)
        await asyncio.sleep(0.001)


async def finish(process: Process, expanding: Expansion | None = None) -> None:
    """Expand until nothing is left to do at once."""
    expanding = expanding or expansion(process)
    while await expanding.round() == AT_ONCE:
        pass


def recipients(process: Process) -> list[str]:
    return [row[0] for row in rows(process, "select recipient from message order by id")]


def texts(process: Process) -> dict[str, str]:
    joined = "select recipient, text from message m join submission s on s.id = m.submission_id order by m.id"
    return dict(rows(process, joined))


def test_every_contact_gets_the_text_merged_for_it(play: Play) -> None:
    async def story(process: Process) -> None:
        its = numbers(0, 7)
        begun = await begin(process, await group(process, its))
        await finish(process)
        assert recipients(process) == its
        greetings = ["Dear friend" if place % 2 else "Dear Ann" for place in range(7)]
        assert list(texts(process).values()) == [f"{each}, C{place}" for place, each in enumerate(greetings)]
        done = await found(process, begun)
        assert (done.state, done.accepted, done.refused, done.place) == (BroadcastState.DONE, 7, 0, (1, 0))
        assert done.ended_at_ms == process.clock.now_ms()
        assert process.dispatch.in_memory == 7
        # Nothing is left to do.
        assert await expansion(process).round() == LOOK_S

    play(story)


def test_a_text_without_merge_fields_is_stored_once_for_those_who_are_submitted_together(play: Play) -> None:
    async def story(process: Process) -> None:
        await begin(process, await group(process, numbers(0, 7)), text="Good day")
        await finish(process)
        assert rows(process, "select text from submission") == [("Good day",)] * 5
        assert len(recipients(process)) == 7

    play(story)


def test_who_is_in_two_groups_gets_one_message(play: Play) -> None:
    async def story(process: Process) -> None:
        groups = [await group(process, its) for its in (numbers(0, 5), numbers(0, 6), numbers(3, 6), [])]
        done = await begin(process, *groups)
        await finish(process)
        assert recipients(process) == numbers(0, 9)
        done = await found(process, done)
        assert (done.state, done.accepted, done.place) == (BroadcastState.DONE, 9, (4, 0))

    play(story)


def test_who_is_added_later_gets_none(play: Play) -> None:
    async def story(process: Process) -> None:
        group_id = await group(process, numbers(0, 4))
        await begin(process, group_id)
        process.clock.skip(1)
        await add(process, group_id, numbers(100, 4))
        await finish(process)
        assert recipients(process) == numbers(0, 4)

    play(story)


def test_who_was_added_later_to_an_earlier_group_gets_the_message_of_the_later_one(play: Play) -> None:
    async def story(process: Process) -> None:
        first, second = await group(process, numbers(0, 1)), await group(process, numbers(1, 2))
        await begin(process, first, second)
        process.clock.skip(1)
        await add(process, first, numbers(1, 1))
        await finish(process)
        assert recipients(process) == numbers(0, 3)

    play(story)


def test_a_group_that_is_removed_meanwhile_is_passed_over(play: Play) -> None:
    async def story(process: Process) -> None:
        first, second = await group(process, numbers(0, 7)), await group(process, numbers(10, 2))
        begun = await begin(process, first, second)
        expanding = expansion(process)
        await expanding.round()
        async with process.store.writing() as connection:
            await contacts.remove_group(connection, ACME, first)
        await finish(process, expanding)
        assert recipients(process) == numbers(0, 3) + numbers(10, 2)
        assert (await found(process, begun)).state is BroadcastState.DONE

    play(story)


def test_contacts_who_cannot_get_the_text_are_counted(play: Play) -> None:
    async def story(process: Process) -> None:
        group_id = await group(process, [])
        await add(process, group_id, ["+27830000000", "+27830000001"], name="Ann")
        await add(process, group_id, ["+12025550175"], name="No route")
        await add(process, group_id, ["+27830000002"], name="x" * 50_000)
        await add(process, group_id, ["+27830000003"], name="a\0b")
        begun = await begin(process, group_id, text="{first_name}")
        await finish(process)
        assert texts(process) == {"+27830000000": "Ann"}
        done = await found(process, begun)
        assert (done.state, done.accepted, done.refused) == (BroadcastState.DONE, 1, 4)

    play(story)


class Room:
    """What memory and the store hold. queued: by account."""

    def __init__(self) -> None:
        self.in_memory = 0
        self.waiting = 0
        self.queued: dict[AccountId, int] = {}

    def queued_of(self, account_id: AccountId) -> int:
        return self.queued.get(account_id, 0)


# What an account lacks ---------------------------------------------------------------------------------------------


async def top_up(process: Process, amount: int) -> None:
    async with process.store.writing() as connection:
        now_ms = process.clock.now_ms()
        await postings.post(connection, ACME, kinds=(PostingKind.GRANT,), amount=amount, now_ms=now_ms)


def test_it_goes_as_far_as_the_credits_reach_and_on_when_there_are_more(play: Play) -> None:
    async def story(process: Process) -> None:
        its = numbers(0, 70)
        begun = await begin(process, await group(process, its))
        expanding = expansion(process, room=Room())
        await finish(process, expanding)
        paused = await found(process, begun)
        assert (paused.state, paused.reason, paused.accepted) == (BroadcastState.PAUSED, Reason.NO_FUNDS, 60)
        # It is not tried again at once, nor written again when nothing has changed.
        await top_up(process, 5_000_000)
        assert await expanding.round() == LOOK_S
        assert len(recipients(process)) == 60
        process.clock.skip(RETRY_S)
        await finish(process, expanding)
        assert (await found(process, begun)).accepted == 65
        await top_up(process, 5_000_000)
        process.clock.skip(RETRY_S)
        await finish(process, expanding)
        assert recipients(process) == its
        done = await found(process, begun)
        assert (done.state, done.reason, done.accepted, done.refused) == (BroadcastState.DONE, None, 70, 0)

    play(story)


def test_a_suspended_account_pauses(play: Play) -> None:
    async def story(process: Process) -> None:
        begun = await begin(process, await group(process, numbers(0, 4)))
        await change_account(process, {"is_suspended": True})
        expanding = expansion(process)
        await finish(process, expanding)
        paused = await found(process, begun)
        assert (paused.state, paused.reason, paused.accepted) == (BroadcastState.PAUSED, Reason.SUSPENDED, 0)
        await change_account(process, {"is_suspended": False})
        process.clock.skip(RETRY_S)
        await finish(process, expanding)
        assert (await found(process, begun)).state is BroadcastState.DONE

    play(story)


def test_a_channel_that_no_carrier_has_pauses_and_refuses_nobody(play: Play) -> None:
    async def story(process: Process) -> None:
        begun = await begin(process, await group(process, numbers(0, 4)))
        for carrier_id in (NORTH, SOUTH):
            await change_carrier(process, {"is_draining": True}, carrier_id)
        expanding = expansion(process)
        await finish(process, expanding)
        paused = await found(process, begun)
        assert (paused.state, paused.reason, paused.refused) == (BroadcastState.PAUSED, Reason.NO_ROUTE, 0)
        await change_carrier(process, {"is_draining": False})
        process.clock.skip(RETRY_S)
        await finish(process, expanding)
        assert (await found(process, begun)).accepted == 4

    play(story)


def test_a_cancelled_broadcast_goes_no_further(play: Play) -> None:
    async def story(process: Process) -> None:
        begun = await begin(process, await group(process, numbers(0, 9)))
        expanding = expansion(process)
        await expanding.round()
        async with process.store.writing() as connection:
            assert await broadcasts.cancel(connection, ACME, begun.broadcast_id, now_ms=1)
        await finish(process, expanding)
        ended = await found(process, begun)
        assert (ended.state, ended.accepted) == (BroadcastState.CANCELLED, 3)
        assert len(recipients(process)) == 3

    play(story)


def test_one_that_is_cancelled_while_its_page_is_on_the_way_sends_none_of_it(play: Play) -> None:
    async def story(process: Process) -> None:
        begun = await begin(process, await group(process, numbers(0, 3)))
        process.writer.by_hand = True
        expanding = asyncio.ensure_future(expansion(process).round())
        await _until(lambda: process.writer._inner._queue.qsize() > 0)
        async with process.store.writing() as connection:
            await broadcasts.cancel(connection, ACME, begun.broadcast_id, now_ms=1)
        process.writer.commit()
        await expanding
        assert recipients(process) == []
        assert rows(process, "select held from balance where account_id = 1") == [(0,)]

    play(story)


def test_it_begins_at_its_time(play: Play) -> None:
    async def story(process: Process) -> None:
        at_ms = process.clock.now_ms() + 60_000
        group_id = await group(process, numbers(0, 2))
        begun = await begin(process, group_id, state=BroadcastState.SCHEDULED, send_at_ms=at_ms)
        process.clock.skip(59)
        await finish(process)
        assert recipients(process) == []
        process.clock.skip(1)
        await finish(process)
        assert recipients(process) == numbers(0, 2)
        assert (await found(process, begun)).state is BroadcastState.DONE

    play(story)


# Others ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["in_memory", "waiting"])
def test_nothing_is_expanded_while_much_is_held(play: Play, where: str) -> None:
    async def story(process: Process) -> None:
        begun = await begin(process, await group(process, numbers(0, 2)))
        room = Room()
        setattr(room, where, TERMS.most_in_memory if where == "in_memory" else TERMS.most_in_store)
        expanding = process.spawn(expansion(process, room=room).follow())
        for _ in range(5):
            await _until(lambda: process.clock.sleepers > 0)
            await process.clock.advance(FULL_S)
        assert recipients(process) == []
        setattr(room, where, 0)
        await _until(lambda: process.clock.sleepers > 0)
        await process.clock.advance(LOOK_S)
        await _end(process, expanding)
        assert recipients(process) == numbers(0, 2)
        assert (await found(process, begun)).state is BroadcastState.DONE

    play(story)


def test_one_whose_carrier_is_down_does_not_hold_up_others(play: Play) -> None:
    async def story(process: Process) -> None:
        stuck = await begin(process, await group(process, numbers(0, 9)))
        other = await begin(process, await group(process, numbers(100, 9), BRAVO), account_id=BRAVO)
        room = Room()
        room.queued = {ACME: TERMS.most_in_memory}
        expanding = expansion(process, room=room)
        await finish(process, expanding)
        assert (await found(process, stuck)).accepted == 0
        assert (await found(process, other)).state is BroadcastState.DONE
        assert await expanding.round() == FULL_S

    play(story)


def test_a_page_is_left_where_its_account_has_enough_queued(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ACCOUNT_SHARE", 4 / TERMS.most_in_memory)
    monkeypatch.setattr(module, "PAGE", 20)

    async def story(process: Process) -> None:
        begun = await begin(process, await group(process, numbers(0, 9)))
        expanding = expansion(process)
        assert await expanding.round() == FULL_S
        assert (await found(process, begun)).accepted == process.dispatch.queued_of(ACME) == 4
        process.dispatch.line(NORTH).queue.take(4)
        assert await expanding.round() == FULL_S
        assert recipients(process) == numbers(0, 8)

    play(story)


def test_accounts_take_turns_and_so_do_broadcasts(play: Play) -> None:
    async def story(process: Process) -> None:
        its = await group(process, numbers(0, 30))
        own = [await begin(process, its) for _ in range(2)]
        other = await begin(process, await group(process, numbers(100, 30), BRAVO), account_id=BRAVO)
        expanding = expansion(process)
        for _ in range(4):
            await expanding.round()
        assert (await found(process, other)).accepted == 12
        assert [(await found(process, each)).accepted for each in own] == [6, 6]

    play(story)


async def _end(process: Process, expanding: "asyncio.Task[None]") -> None:
    """Cancel the loop when it has nothing to do."""
    await _until(lambda: process.clock.sleepers > 0)
    process.tasks.discard(expanding)
    expanding.cancel()
    await asyncio.gather(expanding, return_exceptions=True)


class Door:
    """An accept that says what it is told to."""

    def __init__(self, *answers: Accepted | Refusal | Overtaken | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[Submission] = []

    async def expand(self, submission: Submission) -> Accepted | Refusal | Overtaken:
        self.asked.append(submission)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_page_that_cannot_be_stored_waits_for_somebody_to_look(play: Play) -> None:
    async def story(process: Process) -> None:
        begun = await begin(process, await group(process, numbers(0, 2)))
        door = Door(StoreFailed("a bad row"))
        assert await expansion(process, acceptance=door).round() == LOOK_S
        paused = await found(process, begun)
        assert (paused.state, paused.reason) == (BroadcastState.PAUSED, Reason.INTERNAL)

    play(story)


def test_a_full_exchange_is_waited_for_without_a_word(play: Play) -> None:
    async def story(process: Process) -> None:
        begun = await begin(process, await group(process, numbers(0, 2)))
        door = Door(Refusal(Reason.OVERLOADED, 5))
        assert await expansion(process, acceptance=door).round() == LOOK_S
        assert await found(process, begun) == begun

    play(story)


def test_a_store_in_trouble_is_tried_again(play: Play) -> None:
    async def story(process: Process) -> None:
        await begin(process, await group(process, numbers(0, 2)))
        door = Door(StoreUnavailable("locked"), Overtaken())
        expanding = process.spawn(expansion(process, acceptance=door).follow())
        await _until(lambda: process.clock.sleepers > 0)
        assert len(door.asked) == 1
        await process.clock.advance(LOOK_S)
        await _end(process, expanding)
        assert door.asked == door.asked[:1] * 2

    play(story)


def test_an_account_that_the_process_has_not_heard_of_yet_waits(play: Play) -> None:
    async def story(process: Process) -> None:
        begun = await begin(process, await group(process, numbers(0, 2), AccountId(9)), account_id=AccountId(9))
        assert await expansion(process).round() == LOOK_S
        assert await found(process, begun) == begun

    play(story)


# Crashes -----------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pattern_store(tmp_path_factory.mktemp("pattern"))


class Lives:
    """Processes on one store, one after the other."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.clock = VirtualClock()
        self.process = Process(store, self.clock)

    async def start(self) -> Process:
        """The first one, or the one after a crash."""
        self.clock.skip(1)
        self.process = Process(self.store, self.clock)
        await self.process.start()
        return self.process

    async def expand_until(self, point: str, count: int) -> None:
        """Expand, and die when a point is passed for the count-th time; or come to the end."""
        process = self.process

        def reach(passed: str) -> None:
            nonlocal count
            count -= passed == point
            if not count:
                raise Killed

        process.desk = replace(process.desk, reach=reach)
        with suppress(Killed):
            await finish(process)
        await process.crash()

    async def expand_until_committed(self, count: int) -> None:
        """Expand, and die when a page was committed for the count-th time, before anybody is told."""
        process = self.process
        process.writer.by_hand = True
        expanding = process.spawn(finish(process))
        for _ in range(count):
            await _until(lambda: process.writer._inner._queue.qsize() > 0 or expanding.done())
            process.writer.commit()
        await process.crash()


@pytest.mark.parametrize("point", ["broadcast.read", "broadcast.moved", "committed"])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_crash_costs_nobody_a_message_and_gives_nobody_two(
    tmp_path: Path, pattern: Path, point: str, count: int
) -> None:
    async def story() -> None:
        lives = Lives(copied_store(tmp_path, pattern))
        process = await lives.start()
        groups = [await group(process, its) for its in (numbers(0, 8), numbers(5, 9))]
        begun = await begin(process, *groups)
        for _ in range(3):
            if point == "committed":
                await lives.expand_until_committed(count)
            else:
                await lives.expand_until(point, count)
            process = await lives.start()
        await finish(process)
        assert recipients(process) == numbers(0, 14)
        done = await found(process, begun)
        assert (done.state, done.accepted, done.refused) == (BroadcastState.DONE, 14, 0)
        # What dead processes held is in the store, and nothing is in memory that is not this process's.
        assert rows(process, "select count(*) from ready") == [(14 - process.dispatch.in_memory,)]
        await process.crash()
        await let_go(lives.store)

    asyncio.run(story())
