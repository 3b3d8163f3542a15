import pytest

from heliograph.core.outcomes import Ambiguous, Deferred, SubmitOutcome, Submitted
from heliograph.core.receipts import Receipt
from heliograph.core.states import MessageState
from heliograph.store.engine import StoreUnavailable
from heliograph.testing.clock import turns
from heliograph.testing.life import NORTH, SOUTH, Process
from tests.unit.pipeline.conftest import Play
from tests.unit.pipeline.stories import LONG, TO_NORTH, TO_SOUTH, Taker, accept, change_carrier, rows


def states(process: Process) -> list[MessageState]:
    return [MessageState(state) for (state,) in rows(process, "select state from message order by id")]


@pytest.mark.parametrize(
    ("carrier_id", "recipient", "state"),
    [(NORTH, TO_NORTH, MessageState.QUEUED), (SOUTH, TO_SOUTH, MessageState.HELD)],
)
def test_a_cut_session_leaves_doubt(play: Play, carrier_id: int, recipient: str, state: MessageState) -> None:
    async def story(process: Process) -> None:
        await accept(process, recipient)
        taker = Taker(process, carrier_id)  # type: ignore[arg-type]
        assert len(await taker.take()) == 1
        await taker.close()
        assert states(process) == [state]
        again = await Taker(process, carrier_id).take()  # type: ignore[arg-type]
        assert len(again) == (state is MessageState.QUEUED)

    play(story)


def test_what_was_marked_and_never_left_goes_back_unharmed(play: Play) -> None:
    async def story(process: Process) -> None:
        await accept(process)
        process.writer.by_hand = True
        taker = Taker(process)
        assert await taker.take() == []
        await taker.close()
        process.writer.by_hand = False
        process.writer.commit()
        await turns()
        assert rows(process, "select count(*) from attempt") == [(0,)]
        assert len(await Taker(process).take()) == 1

    play(story)


def test_a_segment_that_was_taken_stays_at_home_when_the_rest_goes_again(play: Play) -> None:
    async def story(process: Process) -> None:
        await change_carrier(process, {"window": 1})
        await accept(process, text=LONG)
        taker = Taker(process)
        (parcel,) = await taker.take()
        assert parcel.segment == 0
        taker.session.report([Submitted(parcel, "c0")])
        await turns()
        await taker.close()
        (again,) = await Taker(process).take()
        assert again.segment == 1

    play(story)


@pytest.mark.parametrize("answers", ["ambiguous", "deferred"])
def test_the_answer_to_a_segment_counts_although_the_others_never_left(play: Play, answers: str) -> None:
    async def story(process: Process) -> None:
        await change_carrier(process, {"window": 1}, SOUTH)
        await accept(process, TO_SOUTH, text=LONG)
        taker = Taker(process, SOUTH)
        (parcel,) = await taker.take()
        outcome: SubmitOutcome = Ambiguous(parcel, "late")
        if answers == "deferred":
            outcome = Deferred(parcel, 60_000, True, "8")
        taker.session.report([outcome])
        await taker.close()
        await turns()
        if answers == "ambiguous":
            assert states(process) == [MessageState.HELD]
        else:
            assert rows(process, "select count(*) from ready") == [(1,)]
        assert await Taker(process, SOUTH).take() == []

    play(story)


def test_receipts_are_acknowledged_after_the_commit(play: Play) -> None:
    async def story(process: Process) -> None:
        await accept(process)
        taker = Taker(process)
        (parcel,) = await taker.take()
        heard: list[bool] = []
        process.writer.by_hand = True
        # The receipt overtakes the answer.
        taker.session.receive([Receipt("c1", MessageState.DELIVERED, ("27831234567", "Heliograph"))], heard.append)
        assert heard == []
        process.writer.commit()
        assert heard == [True]
        taker.session.report([Submitted(parcel, "c1")])
        process.writer.commit()
        assert states(process) == [MessageState.DELIVERED]

    play(story)


def test_receipts_that_cannot_be_stored_are_not_acknowledged(play: Play) -> None:
    async def story(process: Process) -> None:
        taker = Taker(process)
        heard: list[bool] = []
        process.writer.put = lambda hop, request, done: done(StoreUnavailable("full"))  # type: ignore[method-assign]
        taker.session.receive([Receipt("c1", MessageState.DELIVERED, ("27831234567", "Heliograph"))], heard.append)
        assert heard == [False]

    play(story)


def test_a_store_that_fails_the_mark_gets_the_messages_again_a_little_later(play: Play) -> None:
    async def story(process: Process) -> None:
        await accept(process)
        put = process.writer.put
        process.writer.put = lambda hop, request, done: done(StoreUnavailable("full"))  # type: ignore[method-assign]
        taker = Taker(process)
        assert await taker.take() == []
        process.writer.put = put  # type: ignore[method-assign]
        await process.clock.advance(0.6)
        assert len(await taker.take()) == 1

    play(story)


def test_a_message_past_its_validity_expires_instead_of_leaving(play: Play) -> None:
    async def story(process: Process) -> None:
        await accept(process)
        process.clock.skip(49 * 3_600)
        assert await Taker(process).take() == []
        assert states(process) == [MessageState.EXPIRED]
        assert process.dispatch.in_memory == 0

    play(story)
