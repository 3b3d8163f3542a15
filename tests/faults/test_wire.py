"""The wire to the carrier fails in every way a wire can; the exchange comes back by itself."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from heliograph.core.directory import Policy
from heliograph.core.fates import Fate
from heliograph.sandbox.habits import Habits
from heliograph.testing.receiver import Answer
from tests.faults.rig import WINDOW, Rig, live, rig, until

POLICIES = (Policy.RESEND, Policy.HOLD)
SLOW = Habits(response_delay_ms=300, receipt_delay_ms=10)


async def with_both(story: Callable[[Path, Policy], Coroutine[None, None, None]], folder: Path) -> None:
    """The same story with both policies, at the same time: each waits most of it."""
    async with asyncio.TaskGroup() as group:
        for policy in POLICIES:
            group.create_task(story(folder / policy.name, policy))


async def loaded(it: Rig, most: int, *, submits: int) -> None:
    """Serve and send; comes back in the middle of a window."""
    await it.served.start()
    await it.customer.load(most)
    await until(lambda: len(it.submits()) >= submits)


@live
async def test_a_reset_in_the_middle_of_a_window(tmp_path: Path) -> None:
    await with_both(reset, tmp_path)


async def reset(folder: Path, policy: Policy) -> None:
    async with rig(folder, policy, habits=SLOW) as it:
        await loaded(it, 60, submits=20)
        bound_before = it.wire.connections
        it.wire.cut()
        await until(lambda: it.wire.connections > bound_before, seconds=10)
        outcome = await it.settle()
        outcome.check(policy)
        assert len(it.customer.accepted) >= 60


@pytest.mark.long
@live
async def test_resets_again_and_again(tmp_path: Path) -> None:
    await with_both(resets, tmp_path)


async def resets(folder: Path, policy: Policy) -> None:
    async with rig(folder, policy, habits=SLOW) as it:
        await it.served.start()
        await it.customer.load(60)
        for _ in range(3):
            seen = sum(it.submits().values())
            await until(lambda seen=seen: sum(it.submits().values()) > seen)  # type: ignore[misc]
            it.wire.cut()
        outcome = await it.settle()
        outcome.check(policy, window=3 * WINDOW)


@live
async def test_a_wire_that_goes_silent_is_given_up_and_opened_anew(tmp_path: Path) -> None:
    await with_both(silence, tmp_path)


async def silence(folder: Path, policy: Policy) -> None:
    async with rig(folder, policy, habits=SLOW, settings={"enquire_link_s": 1, "response_s": 1}) as it:
        await loaded(it, 40, submits=20)
        it.wire.is_silent = True
        bound_before = it.wire.connections
        await until(lambda: it.wire.connections > bound_before, seconds=15)
        it.wire.is_silent = False
        it.wire.cut()
        outcome = await it.settle()
        outcome.check(policy)


@live
async def test_a_carrier_that_is_away_for_a_while_gets_everything_when_it_is_back(tmp_path: Path) -> None:
    async with rig(tmp_path, Policy.RESEND) as it:
        it.wire.is_cut = True
        await it.served.start()
        await it.customer.load(40)
        await until(lambda: it.wire.connections >= 2)
        assert not it.submits()
        it.wire.is_cut = False
        outcome = await it.settle()
        outcome.check(Policy.RESEND, window=0)
        assert outcome.states == {"delivered": len(it.customer.accepted)}


@live
async def test_octets_that_travel_alone_mean_the_same(tmp_path: Path) -> None:
    async with rig(tmp_path, Policy.HOLD) as it:
        it.wire.slices = True
        it.customer.writes_long = True
        await it.served.start()
        await it.customer.load(40)
        outcome = await it.settle()
        outcome.check(Policy.HOLD)
        assert outcome.states == {"delivered": len(it.customer.accepted)}


@live
async def test_answers_that_come_too_late_are_doubts_and_receipts_settle_them(tmp_path: Path) -> None:
    settings: dict[str, object] = {"response_s": 1}
    async with rig(tmp_path, Policy.HOLD, settings=settings, habits=Habits(response_delay_ms=1800)) as it:
        await it.served.start()
        await it.customer.send(5)
        outcome = await it.settle()
        outcome.check(Policy.HOLD)
        assert outcome.states == {"delivered": 5}


@live
async def test_receipts_before_their_answers_and_receipts_that_come_twice(tmp_path: Path) -> None:
    async with rig(tmp_path, Policy.RESEND) as it:
        await it.served.start()
        early = [f"2783{place:02d}{Fate.RECEIPT_FIRST.digits}" for place in range(10)]
        doubled = [f"2784{place:02d}{Fate.DUPLICATE_RECEIPT.digits}" for place in range(10)]
        replies = await asyncio.gather(it.customer.send_to(early), it.customer.send_to(doubled))
        assert [reply.status for reply in replies] == [202, 202]
        outcome = await it.settle()
        outcome.check(Policy.RESEND, window=0)
        assert outcome.states == {"delivered": 20}
        said = [event for call in it.receiver.calls for event in it.events_of(call) if event["Status"] == "Delivered"]
        assert len(said) == 20


@live
async def test_a_polite_end_under_load_sends_nothing_twice_and_holds_nothing(tmp_path: Path) -> None:
    await with_both(polite_end, tmp_path)


async def polite_end(folder: Path, policy: Policy) -> None:
    async with rig(folder, policy, habits=SLOW) as it:
        await it.served.start()
        load = asyncio.create_task(it.customer.load(80))
        await until(lambda: len(it.submits()) >= 15)
        assert await it.served.stop() == 0
        await load
        documents = await it.messages()
        assert not [document for document in documents if document["state"] in ("submitting", "held")]
        await it.served.start()
        outcome = await it.settle()
        outcome.check(policy, window=0)
        assert outcome.states == {"delivered": len(documents)}


async def doubted_after_its_receipt(it: Rig) -> int:
    """Messages whose receipts are acknowledged while their answers are still awaited; how many."""
    await it.served.start()
    numbers = [f"2783{place:02d}{Fate.RECEIPT_FIRST.digits}" for place in range(5)]
    await it.customer.send_to(numbers)
    await until(lambda: it.centre.delivered == len(numbers))
    return len(numbers)


@live
async def test_receipts_before_answers_that_never_come_settle_the_doubts_after_a_kill(tmp_path: Path) -> None:
    async with rig(tmp_path, Policy.HOLD, habits=Habits(response_delay_ms=5_000)) as it:
        count = await doubted_after_its_receipt(it)
        await it.served.kill()
        await it.served.start()
        outcome = await it.settle()
        outcome.check(Policy.HOLD)
        assert outcome.states == {"delivered": count}


@pytest.mark.long
@live
async def test_receipts_before_answers_that_never_come_settle_the_doubts_of_a_reset(tmp_path: Path) -> None:
    """Within the minute in which stray receipts are looked at again."""
    async with rig(tmp_path, Policy.HOLD, habits=Habits(response_delay_ms=5_000)) as it:
        count = await doubted_after_its_receipt(it)
        it.wire.cut()
        outcome = await it.settle(seconds=80)
        outcome.check(Policy.HOLD)
        assert outcome.states == {"delivered": count}


@live
async def test_a_hanging_webhook_does_not_hold_up_the_end(tmp_path: Path) -> None:
    async with rig(tmp_path, Policy.RESEND) as it:
        it.receiver.answer = Answer(hangs=True)
        await it.served.start()
        await it.customer.load(20)
        await it.receiver.wait_for(1)
        async with asyncio.timeout(15):
            assert await it.served.stop() == 0
        it.receiver.answer = Answer()
        it.receiver.calls.clear()
        await it.served.start()
        outcome = await it.settle()
        outcome.check(Policy.RESEND, window=0)
