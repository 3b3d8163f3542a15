"""Claim: scheduled messages leave at their time, by the routes and accounts as they are then."""

import asyncio
from dataclasses import replace

from heliograph.core.ids import MessageId
from heliograph.core.messages import Accepted, Channel, Submission
from heliograph.core.reasons import Reason
from heliograph.core.routing import Route
from heliograph.core.states import MessageState
from heliograph.pipeline import claim
from heliograph.pipeline.accept import Acceptance
from heliograph.store import routes
from heliograph.testing.clock import turns
from heliograph.testing.life import NORTH, SOUTH, TERMS, Process
from tests.unit.pipeline.conftest import Play
from tests.unit.pipeline.stories import TO_NORTH, Taker, accept, change_account, rows, submission

S = MessageState


async def schedule(process: Process, seconds: float, asked: Submission | None = None) -> MessageId:
    """A message to be sent in some seconds."""
    at_ms = process.clock.now_ms() + int(seconds * 1000)
    answer = await process.acceptance.submit((asked or submission())._replace(send_at_ms=at_ms))
    assert isinstance(answer, Accepted)
    message_id = answer.verdicts[0].message_id
    assert message_id is not None
    return message_id


def states(process: Process) -> list[MessageState]:
    """Of all messages, in order."""
    return [MessageState(row[0]) for row in rows(process, "select state from message order by id")]


def test_a_message_leaves_at_its_time(play: Play) -> None:
    async def story(process: Process) -> None:
        taker = Taker(process)
        message_id = await schedule(process, 600)
        await process.clock.advance(599.9)
        await process.claim()
        assert await taker.take() == []
        assert states(process) == [S.SCHEDULED]
        await process.clock.advance(0.1)
        await process.claim()
        (parcel,) = await taker.take()
        assert parcel.message.message_id == message_id
        assert states(process) == [S.SUBMITTING]

    play(story)


def test_the_next_look_is_when_the_next_is_due(play: Play) -> None:
    async def story(process: Process) -> None:
        await schedule(process, 0.05)
        following = process.spawn(claim.follow(process.dispatch, most_in_memory=9, most_in_store=9))
        while not process.clock.naps:
            await turns()
        await process.clock.advance(0.05)
        while not process.dispatch.in_memory:
            await turns()
        process.tasks.discard(following)
        following.cancel()

    play(story)


def test_the_route_is_that_of_the_time(play: Play) -> None:
    async def story(process: Process) -> None:
        await schedule(process, 60)
        async with process.store.writing() as connection:
            await routes.add(connection, Route(SOUTH, Channel.SMS, "2783", 0))
        await process.desk.directory.load()
        await process.clock.advance(60)
        await process.claim()
        (parcel,) = await Taker(process, SOUTH).take()
        assert parcel.message.plan == (SOUTH,)
        # Whoever recovers asks this carrier's policy, not that of the one it was accepted for.
        assert rows(process, "select carrier_id from message") == [(SOUTH,)]

    play(story)


def test_a_message_whose_route_is_gone_waits_for_its_carrier_and_expires(play: Play) -> None:
    async def story(process: Process) -> None:
        await schedule(process, 60)
        async with process.store.writing() as connection:
            for route in await routes.every(connection):
                await routes.remove(connection, route.route_id)
        await process.desk.directory.load()
        await process.clock.advance(60)
        await process.claim()
        assert len(process.dispatch.line(NORTH).queue) == 1
        process.clock.skip(TERMS.validity_ms / 1000)
        await process.sweep()
        await turns()
        assert rows(process, "select state, reason from message") == [(S.EXPIRED, Reason.VALIDITY_PASSED.number)]

    play(story)


def test_a_suspended_accounts_message_leaves_when_it_is_resumed(play: Play) -> None:
    async def story(process: Process) -> None:
        await schedule(process, 60)
        await change_account(process, {"is_suspended": True})
        await process.clock.advance(60)
        await process.claim()
        assert (states(process), process.dispatch.in_memory) == ([S.SCHEDULED], 0)
        await change_account(process, {"is_suspended": False})
        await process.clock.advance(60)
        await process.claim()
        assert process.dispatch.in_memory == 1

    play(story)


def test_a_suspended_accounts_message_expires_in_the_end(play: Play) -> None:
    async def story(process: Process) -> None:
        await schedule(process, 60)
        await change_account(process, {"is_suspended": True})
        process.clock.skip(60 + TERMS.validity_ms / 1000)
        await process.claim()
        await process.sweep()
        await turns()
        assert rows(process, "select state, charge, reason from message") == [
            (S.EXPIRED, 3, Reason.VALIDITY_PASSED.number)
        ]

    play(story)


def test_what_is_scheduled_for_later_refuses_nobody(play: Play) -> None:
    async def story(process: Process) -> None:
        door = Acceptance(process.desk, lines=process.dispatch, terms=replace(TERMS, most_in_store=2))
        for _ in range(3):
            await schedule(process, claim.SOON_MS / 1000 + 60)
        await process.claim()
        assert process.dispatch.waiting == 0
        assert isinstance(await door.submit(submission()), Accepted)
        # Half an hour before their time they are load like any other.
        await process.clock.advance(61)
        await process.claim()
        assert process.dispatch.waiting == 3
        assert not isinstance(await door.submit(submission()), Accepted)

    play(story)


def test_a_scheduled_message_outlives_its_process_whenever_it_ends(play: Play) -> None:
    async def story(process: Process) -> None:
        message_id = await schedule(process, 60)
        await process.crash()
        following = Process(process.store, process.clock)
        await following.start()
        assert states(following) == [S.SCHEDULED]
        await following.clock.advance(60)
        await following.claim()
        assert following.dispatch.in_memory == 1
        # It ends with the message in memory, before a beat.
        await following.crash()
        third = Process(process.store, process.clock)
        await third.start()
        await third.claim()
        (parcel,) = await Taker(third).take()
        assert parcel.message.message_id == message_id
        await third.crash()

    play(story)


def test_a_beat_does_not_leave_behind_what_is_just_being_claimed(play: Play) -> None:
    async def story(process: Process) -> None:
        message_id = await schedule(process, 86_400)
        await process.clock.advance(86_400)
        await accept(process, TO_NORTH)
        process.writer.by_hand = True
        claiming = asyncio.ensure_future(process.claim())
        while not process.dispatch.claiming.locked():
            await turns()
        beating = asyncio.ensure_future(process.beat())
        await turns()
        assert not beating.done()
        process.writer.commit()
        process.writer.by_hand = False
        await claiming
        await beating
        ((water,),) = rows(process, "select low_water_id from owner")
        assert water <= message_id, "whoever recovers would not look where the message is"

    play(story)
