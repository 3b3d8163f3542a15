"""Stories of carriers that take a long text in one piece, alone and beside others that do not."""

import pytest

from heliograph.core.messages import WHOLE, Parcel
from heliograph.core.outcomes import Ambiguous, Deferred, SubmitOutcome, Submitted
from heliograph.core.receipts import Receipt
from heliograph.core.states import MessageState
from heliograph.testing.clock import turns
from heliograph.testing.life import NORTH, SOUTH, Process
from tests.unit.pipeline.conftest import Play
from tests.unit.pipeline.stories import LONG, TO_NORTH, TO_SOUTH, Taker, accept, change_carrier, rows

S = MessageState


def states(process: Process) -> list[MessageState]:
    return [MessageState(state) for (state,) in rows(process, "select state from message order by id")]


def receipt(key: str, recipient: str = TO_NORTH, state: S = S.DELIVERED) -> list[Receipt]:
    return [Receipt(key, state, (recipient[1:], "Heliograph"))]


def ignore(_is_stored: bool) -> None:
    pass


async def take_one(process: Process, carrier_id: int = NORTH) -> tuple[Taker, Parcel]:
    taker = Taker(process, carrier_id)  # type: ignore[arg-type]
    (parcel,) = await taker.take()
    return taker, parcel


def test_a_long_text_leaves_in_one_piece_and_one_receipt_ends_it(play: Play) -> None:
    async def story(process: Process) -> None:
        process.whole = {NORTH}
        await change_carrier(process, {"window": 1})
        await accept(process, text=LONG)
        taker, parcel = await take_one(process)
        assert parcel.segment == WHOLE
        taker.session.report([Submitted(parcel, "c0")])
        await turns()
        assert states(process) == [S.SUBMITTED]
        assert rows(process, "select accepted, segments from message") == [(4, 4)]
        taker.session.receive(receipt("c0"), ignore)
        await turns()
        assert states(process) == [S.DELIVERED]

    play(story)


def test_its_receipt_may_come_before_its_answer(play: Play) -> None:
    async def story(process: Process) -> None:
        process.whole = {NORTH}
        await accept(process, text=LONG)
        taker, parcel = await take_one(process)
        taker.session.receive(receipt("c0"), ignore)
        await turns()
        taker.session.report([Submitted(parcel, "c0")])
        await turns()
        assert states(process) == [S.DELIVERED]

    play(story)


def test_a_short_text_is_a_segment_there_as_everywhere(play: Play) -> None:
    async def story(process: Process) -> None:
        process.whole = {NORTH}
        await accept(process)
        _, parcel = await take_one(process)
        assert parcel.segment == 0

    play(story)


def test_a_whole_text_takes_one_slot_and_one_turn_of_the_throughput(play: Play) -> None:
    async def story(process: Process) -> None:
        process.whole = {NORTH}
        await change_carrier(process, {"window": 3, "throughput": 30})
        for _ in range(3):
            await accept(process, text=LONG)
        assert len(await Taker(process).take()) == 3

    play(story)


@pytest.mark.parametrize("whole", [{NORTH}, {SOUTH}], ids=["whole, then cut", "cut, then whole"])
def test_the_next_carrier_takes_it_in_its_own_way(play: Play, whole: set[int]) -> None:
    async def story(process: Process) -> None:
        process.whole = whole  # type: ignore[assignment]
        await change_carrier(process, {"window": 10})
        await change_carrier(process, {"window": 10}, SOUTH)
        await accept(process, text=LONG)
        first = Taker(process)
        parcels = await first.take()
        assert len(parcels) == (1 if NORTH in whole else 4)
        first.session.report([Deferred(parcel, 1, True, "busy", tries=1) for parcel in parcels])
        await turns()
        second = Taker(process, SOUTH)
        parcels = await second.take()
        assert len(parcels) == (1 if SOUTH in whole else 4)
        second.session.report([Submitted(parcel, f"c{parcel.segment + 1}") for parcel in parcels])
        for parcel in parcels:
            second.session.receive(receipt(f"c{parcel.segment + 1}"), ignore)
        await turns()
        assert states(process) == [S.DELIVERED]

    play(story)


@pytest.mark.parametrize("end", ["cut", "answered"])
def test_one_receipt_clears_up_a_doubt_about_all_of_it(play: Play, end: str) -> None:
    async def story(process: Process) -> None:
        process.whole = {SOUTH}
        await accept(process, TO_SOUTH, text=LONG)
        taker, parcel = await take_one(process, SOUTH)
        if end == "cut":
            await taker.close()
        else:
            doubtful: SubmitOutcome = Ambiguous(parcel, "late")
            taker.session.report([doubtful])
            await turns()
        assert states(process) == [S.HELD]
        Taker(process, SOUTH).session.receive(receipt("stray", TO_SOUTH), ignore)
        await turns()
        assert states(process) == [S.DELIVERED]
        assert rows(process, "select accepted, delivered from message") == [(4, 4)]

    play(story)


def test_one_receipt_clears_up_the_doubt_that_a_crash_leaves(play: Play) -> None:
    async def story(process: Process) -> None:
        process.whole = {SOUTH}
        await accept(process, TO_SOUTH, text=LONG)
        await take_one(process, SOUTH)
        await process.crash()
        following = Process(process.store, process.clock)
        following.whole = {SOUTH}
        await following.start()
        assert states(following) == [S.HELD]
        Taker(following, SOUTH).session.receive(receipt("stray", TO_SOUTH), ignore)
        await turns()
        assert states(following) == [S.DELIVERED]
        await following.crash()

    play(story)


def test_a_session_that_ends_gives_back_what_it_never_took(play: Play) -> None:
    async def story(process: Process) -> None:
        process.whole = {NORTH}
        await accept(process, text=LONG)
        process.writer.by_hand = True
        taker = Taker(process)
        assert await taker.take() == []
        await taker.close()
        process.writer.by_hand = False
        process.writer.commit()
        await turns()
        assert rows(process, "select count(*) from attempt") == [(0,)]
        _, parcel = await take_one(process)
        assert parcel.segment == WHOLE

    play(story)
