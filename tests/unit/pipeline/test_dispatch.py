from collections import Counter

from heliograph.core.outcomes import Deferred, Submitted
from heliograph.core.states import MessageState
from heliograph.services.messages import Messages
from heliograph.testing.clock import turns
from heliograph.testing.life import ACME, BRAVO, NORTH, Process, told_states
from tests.unit.pipeline.conftest import Play
from tests.unit.pipeline.stories import LONG, TO_NORTH, Taker, accept, change_carrier, rows


def test_accounts_are_served_in_turns(play: Play) -> None:
    async def story(process: Process) -> None:
        await change_carrier(process, {"window": 40})
        await accept(process, *(f"+2783{number:07}" for number in range(50)), account_id=ACME)
        await accept(process, *(f"+2784{number:07}" for number in range(12)), account_id=BRAVO)
        parcels = await Taker(process).take()
        assert Counter(parcel.message.account_id for parcel in parcels) == {ACME: 28, BRAVO: 12}

    play(story)


def test_no_more_leaves_than_the_window_and_a_slot_is_freed_by_the_commit(play: Play) -> None:
    async def story(process: Process) -> None:
        await change_carrier(process, {"window": 2})
        await accept(process, *(f"+2783{number:07}" for number in range(4)))
        taker = Taker(process)
        first = await taker.take()
        assert len(first) == 2
        assert await taker.take() == []
        process.writer.by_hand = True
        taker.session.report([Submitted(parcel, f"c{parcel.message.message_id}") for parcel in first])
        assert await taker.take() == []
        process.writer.commit()
        process.writer.by_hand = False
        assert len(await taker.take()) == 2

    play(story)


def test_nothing_leaves_before_its_mark_is_committed(play: Play) -> None:
    async def story(process: Process) -> None:
        await accept(process)
        process.writer.by_hand = True
        taker = Taker(process)
        assert await taker.take() == []
        process.writer.commit()
        (parcel,) = await taker.take()
        wanted = [(MessageState.SUBMITTING, taker.session.session_id)]
        assert rows(process, "select state, session from message where id = ?", parcel.message.message_id) == wanted

    play(story)


def test_a_long_message_passes_a_window_that_is_smaller(play: Play) -> None:
    async def story(process: Process) -> None:
        await change_carrier(process, {"window": 2})
        await accept(process, text=LONG)
        taker = Taker(process)
        seen: list[int] = []
        while parcels := await taker.take():
            assert len(parcels) <= 2
            seen += [parcel.segment for parcel in parcels]
            taker.session.report([Submitted(parcel, f"c{parcel.segment}") for parcel in parcels])
        assert seen == [0, 1, 2, 3]
        assert rows(process, "select state, accepted from message") == [(MessageState.SUBMITTED, 4)]
        assert process.dispatch.in_memory == 0

    play(story)


def test_throughput_lets_so_many_segments_pass_in_a_second(play: Play) -> None:
    async def story(process: Process) -> None:
        await change_carrier(process, {"window": 100, "throughput": 10})
        await accept(process, *(f"+2783{number:07}" for number in range(50)))
        taker = Taker(process)
        sent = len(await taker.take())
        assert sent == 1
        for _ in range(40):
            await process.clock.advance(0.05)
            sent += len(await taker.take())
        assert 20 <= sent <= 21

    play(story)


def test_a_session_does_not_wait_for_what_came_while_it_looked(play: Play) -> None:
    async def story(process: Process) -> None:
        await change_carrier(process, {"window": 100, "throughput": 10})
        line = process.dispatch.line(NORTH)
        await accept(process, TO_NORTH, "+27831234568")
        assert line.draw(9)
        assert line.draw(9) == []
        # It looked a moment too early: the token falls before it asks how long it should wait.
        process.clock.skip(0.2)
        assert line.wait_s() == 0.0
        await change_carrier(process, {"throughput": 0})
        line.pause(1.0)
        assert line.draw(9) == []
        process.clock.skip(1.0)
        assert line.wait_s() == 0.0

    play(story)


def test_a_long_message_is_paid_for_in_throughput(play: Play) -> None:
    async def story(process: Process) -> None:
        await change_carrier(process, {"window": 100, "throughput": 2})
        await accept(process, text=LONG)
        await accept(process, "+27831234568")
        taker = Taker(process)
        assert [parcel.segment for parcel in await taker.take()] == [0, 1, 2, 3]
        assert await taker.take() == []
        await process.clock.advance(1.4)
        assert await taker.take() == []
        await process.clock.advance(0.7)
        assert [parcel.message.recipient for parcel in await taker.take()] == ["+27831234568"]

    play(story)


def test_a_carrier_that_asks_for_it_is_left_alone(play: Play) -> None:
    async def story(process: Process) -> None:
        await accept(process)
        taker = Taker(process)
        (parcel,) = await taker.take()
        taker.session.report([Deferred(parcel, 0, False, "88", pause_ms=1_000)])
        await turns()
        await accept(process, "+27831234568")
        assert await taker.take() == []
        await process.clock.advance(0.9)
        assert await taker.take() == []
        await process.clock.advance(0.2)
        assert len(await taker.take()) >= 1

    play(story)


def test_a_cancelled_message_does_not_hold_up_the_one_behind_it(play: Play) -> None:
    async def story(process: Process) -> None:
        await change_carrier(process, {"window": 1})
        answer = await accept(process, TO_NORTH, "+27831234568")
        messages = Messages(process.store, process.clock, told=told_states)
        await messages.cancel(str(answer.verdicts[0].message_id))
        (parcel,) = await Taker(process).take()
        assert parcel.message.recipient == "+27831234568"

    play(story)


def test_low_water_is_below_everything_unfinished(play: Play) -> None:
    async def story(process: Process) -> None:
        answer = await accept(process)
        lowest = answer.verdicts[0].message_id
        assert lowest is not None
        await process.clock.advance(600)
        assert process.dispatch.low_water(process.clock.now_ms()) == lowest
        taker = Taker(process)
        (parcel,) = await taker.take()
        assert process.dispatch.low_water(process.clock.now_ms()) == lowest
        taker.session.report([Submitted(parcel, "c1")])
        await turns()
        assert process.dispatch.low_water(process.clock.now_ms()) > lowest
        assert process.dispatch.line(NORTH).holding == set()

    play(story)


def test_an_expired_message_is_ours_until_its_end_is_committed(play: Play) -> None:
    async def story(process: Process) -> None:
        answer = await accept(process)
        await process.clock.advance(49 * 3_600)
        process.writer.by_hand = True
        process.dispatch.expire(process.clock.now_ms())
        assert process.dispatch.in_memory == 1
        assert process.dispatch.low_water(process.clock.now_ms()) == answer.verdicts[0].message_id
        process.writer.commit()
        assert process.dispatch.in_memory == 0
        assert rows(process, "select state from message") == [(MessageState.EXPIRED,)]

    play(story)
