from heliograph.core.outcomes import Deferred
from heliograph.core.states import MessageState
from heliograph.pipeline import lease
from heliograph.services.audit import Audit
from heliograph.testing.clock import turns
from heliograph.testing.life import Process
from tests.unit.pipeline.conftest import Play
from tests.unit.pipeline.stories import Taker, accept, rows


async def restarted(process: Process) -> Process:
    """The next process, after the end of this one."""
    await process.crash()
    following = Process(process.store, process.clock)
    await following.start()
    return following


def test_each_process_has_a_number_of_its_own_and_forgets_those_before(play: Play) -> None:
    async def story(process: Process) -> None:
        first = process.desk.owner
        following = await restarted(process)
        assert following.desk.owner > first
        assert rows(following, "select id from owner") == [(following.desk.owner,)]
        await following.crash()

    play(story)


def test_new_ids_are_above_those_of_earlier_processes_whatever_the_clock_says(play: Play) -> None:
    async def story(process: Process) -> None:
        answer = await accept(process)
        process.clock.skip(-3_600)
        following = await restarted(process)
        assert following.desk.ids.next(process.clock.now_ms()) > max(
            answer.submission_id, answer.verdicts[0].message_id or 0
        )
        await following.crash()

    play(story)


def test_a_beat_tells_that_the_owner_lives_and_what_it_still_holds(play: Play) -> None:
    async def story(process: Process) -> None:
        beating = process.spawn(lease.keep(process.desk, lambda: 77, claiming=process.dispatch.claiming))
        await process.clock.advance(1.0)
        while not rows(process, "select 1 from owner where low_water_id = 77"):
            await turns()
        ((beat_at_ms,),) = rows(process, "select beat_at_ms from owner")
        assert beat_at_ms == process.clock.now_ms()
        process.tasks.discard(beating)
        # It is committed before its connection is back, and may be ended then.
        async with process.dispatch.claiming:
            beating.cancel()

    play(story)


def test_what_a_process_held_is_found_by_the_next(play: Play) -> None:
    async def story(process: Process) -> None:
        await accept(process)
        following = await restarted(process)
        await following.claim()
        assert following.dispatch.in_memory == 1
        await following.crash()

    play(story)


def test_an_old_message_taken_up_again_is_found_although_its_process_ends_before_the_next_beat(play: Play) -> None:
    async def story(process: Process) -> None:
        await accept(process)
        (parcel,) = await (taker := Taker(process)).take()
        taker.session.report([Deferred(parcel, 600_000, True, "8")])
        await turns()
        await process.clock.advance(601)
        await process.beat()
        await process.claim()
        assert rows(process, "select owner, state from message") == [(process.desk.owner, MessageState.QUEUED)]
        assert await Audit(process.store).check() == ()
        following = await restarted(process)
        await following.claim()
        assert following.dispatch.in_memory == 1, "the message is lost"
        await following.crash()

    play(story)
