import asyncio
import json
import sqlite3
from typing import Any

import pytest

from heliograph.core.events import Event, EventKind, Told
from heliograph.core.ids import MessageId, WebhookId
from heliograph.core.redelivery import PATIENCE_MS
from heliograph.core.states import MessageState
from heliograph.pipeline.calls import CALLS_AT_ONCE, MOST_IN_LANE
from heliograph.pipeline.ports import Delivery, DeliveryResult
from heliograph.services.messages import Messages
from heliograph.store import webhooks
from heliograph.store.hops.notify import DeliveryState
from heliograph.testing.clock import turns
from heliograph.testing.life import ACME, DIALECT, HOOK, NotingDeliverer, Process, told_states
from tests.unit.pipeline.conftest import Play
from tests.unit.pipeline.stories import accept, rows


def told(process: Process, *numbers: int, webhook_id: WebhookId = HOOK, state: int = 10) -> list[Told]:
    """Events with their outbox rows, as settling leaves them."""
    events = [
        Event(ACME, MessageId(number), MessageState(state), process.clock.now_ms(), "+27831234567", None)
        for number in numbers
    ]
    connection = sqlite3.connect(process.store.path, isolation_level=None)
    connection.execute("insert or ignore into submission values (?, 1, 'any', 1, 'Acme', 'Hello', null)", (ACME,))
    connection.executemany(
        "insert or ignore into message(account_id, id, submission_id, recipient, state, segments, charge, carrier_id, "
        "price, expires_at_ms) values (?, ?, 1, '+27831234567', ?, 1, 2, 1, 0, 0)",
        [event[:3] for event in events],
    )
    connection.executemany("insert into outbox values (?, ?, ?, ?, ?)", [(webhook_id, *event[:4]) for event in events])
    connection.close()
    return [Told(webhook_id, event) for event in events]


async def another_webhook(process: Process) -> WebhookId:
    hook = {"account_id": ACME, "dialect": DIALECT, "kind": EventKind.STATUS, "url": "http://127.0.0.1/2"}
    async with process.store.writing() as connection:
        webhook_id = await webhooks.add(connection, {**hook, "secret": "s"}, now_ms=process.clock.now_ms())
    await process.desk.directory.load()
    return webhook_id


async def settled(process: Process, wait_s: float = 1.2) -> None:
    """Let events gather their company, and the calls be made."""
    await process.clock.advance(wait_s)
    await process.tell()
    await until_quiet(process)


async def until_quiet(process: Process) -> None:
    """Wait for the calls that were begun; one that hangs is not waited for long."""
    await turns()
    if calling := [task for task in process.tasks if not task.done()]:
        await asyncio.wait(calling, timeout=0.1)
    process.check()


def deliveries(process: Process) -> list[tuple[Any, ...]]:
    return rows(process, "select state, attempts, status, next_at_ms from delivery order by id")


def answer(deliverer: NotingDeliverer, status: int | None, note: str = "", retry_after_s: int = 0) -> None:
    deliverer.answer = DeliveryResult(status, note, retry_after_s)


def test_events_wait_for_company_but_not_long(play: Play) -> None:
    async def story(process: Process) -> None:
        process.notify.tell(told(process, 1))
        await process.tell()
        assert process.deliverer.calls == []
        process.notify.tell(told(process, 2))
        await settled(process)
        (call,) = process.deliverer.calls
        assert json.loads(call.body) == [[1, 10], [2, 10]]
        assert rows(process, "select count(*) from outbox") == [(0,)]
        assert deliveries(process)[0][:3] == (DeliveryState.DELIVERED, 1, 200)

    play(story)


def test_a_full_group_leaves_at_once(play: Play) -> None:
    async def story(process: Process) -> None:
        process.notify.tell(told(process, *range(1, 8)))
        await until_quiet(process)
        (call,) = process.deliverer.calls
        assert len(json.loads(call.body)) == 5

    play(story)


def test_a_state_that_is_overtaken_is_not_told(play: Play) -> None:
    async def story(process: Process) -> None:
        process.notify.tell(told(process, 1, state=3))
        process.notify.tell(told(process, 1, state=10))
        await settled(process)
        (call,) = process.deliverer.calls
        assert json.loads(call.body) == [[1, 10]]
        assert rows(process, "select count(*) from outbox") == [(0,)]

    play(story)


def test_the_same_bytes_are_tried_again(play: Play) -> None:
    async def story(process: Process) -> None:
        answer(process.deliverer, 503)
        process.notify.tell(told(process, 1))
        await settled(process)
        ((state, attempts, status, next_at_ms),) = deliveries(process)
        assert (state, attempts, status) == (DeliveryState.PENDING, 1, 503)
        assert 4_000 < next_at_ms - process.clock.now_ms() <= 6_000
        answer(process.deliverer, 200)
        await settled(process, 7)
        first, second = process.deliverer.calls
        assert first.delivery_id == second.delivery_id
        assert first.body == second.body
        assert deliveries(process)[0][:3] == (DeliveryState.DELIVERED, 2, 200)
        assert rows(process, "select failing_since_ms from webhook") == [(None,)]

    play(story)


def test_a_receiver_that_asks_for_time_gets_it(play: Play) -> None:
    async def story(process: Process) -> None:
        answer(process.deliverer, 429, retry_after_s=1_000)
        process.notify.tell(told(process, 1))
        await settled(process)
        assert deliveries(process)[0][3] - process.clock.now_ms() > 990_000

    play(story)


def test_410_switches_the_webhook_off_and_says_why(play: Play) -> None:
    async def story(process: Process) -> None:
        answer(process.deliverer, 410, "HTTP 410")
        process.notify.tell(told(process, 1))
        await settled(process)
        assert deliveries(process)[0][:3] == (DeliveryState.DEAD, 1, 410)
        assert rows(process, "select is_active, note from webhook") == [(0, "Switched off: HTTP 410")]
        await process.desk.directory.load()
        assert (ACME, MessageState.DELIVERED) not in process.desk.directory.snapshot.audience.of_account

    play(story)


def test_a_webhook_that_fails_for_days_is_switched_off(play: Play) -> None:
    async def story(process: Process) -> None:
        answer(process.deliverer, None, "no answer")
        process.notify.tell(told(process, 1))
        await settled(process)
        assert rows(process, "select is_active from webhook") == [(1,)]
        process.clock.skip(PATIENCE_MS / 1000 - 60)
        process.notify.tell(told(process, 2))
        await settled(process)
        assert rows(process, "select is_active from webhook") == [(1,)]
        process.clock.skip(120)
        process.notify.tell(told(process, 3))
        await settled(process)
        assert rows(process, "select is_active, note from webhook") == [(0, "Switched off: no answer")]

    play(story)


def test_a_delivery_is_given_up_after_its_last_try(play: Play) -> None:
    async def story(process: Process) -> None:
        answer(process.deliverer, 500)
        process.notify.tell(told(process, 1))
        for _ in range(12):
            await settled(process, 1.2)
            process.clock.skip(30 * 3_600)
        assert deliveries(process)[0][:2] == (DeliveryState.DEAD, 10)
        assert len(process.deliverer.calls) == 10
        assert len({call.body for call in process.deliverer.calls}) == 1

    play(story)


def test_a_webhook_that_hangs_delays_no_other_and_holds_a_few_calls_only(play: Play) -> None:
    async def story(process: Process) -> None:
        other = await another_webhook(process)
        hang = asyncio.Event()

        async def answered(delivery: Delivery) -> DeliveryResult:
            if delivery.webhook.webhook_id == HOOK:
                await hang.wait()
            return DeliveryResult(200, "")

        process.deliverer.answer = answered
        process.notify.tell(told(process, *range(1, 5 * (MOST_IN_LANE + 10) + 1)))
        await until_quiet(process)
        assert len(process.deliverer.calls) == CALLS_AT_ONCE
        process.notify.tell(told(process, *range(1, 51), webhook_id=other))
        await until_quiet(process)
        assert [call.webhook.webhook_id for call in process.deliverer.calls[CALLS_AT_ONCE:]] == [other] * 10
        hang.set()
        for _ in range(5):
            await settled(process)
        heard = [call.delivery_id for call in process.deliverer.calls if call.webhook.webhook_id == HOOK]
        assert len(heard) == len(set(heard)) == MOST_IN_LANE + 10
        assert {state for state, *_ in deliveries(process)} == {DeliveryState.DELIVERED}

    play(story)


@pytest.mark.parametrize("is_removed", [False, True])
def test_nothing_is_kept_for_a_webhook_that_is_off_or_gone(play: Play, is_removed: bool) -> None:
    async def story(process: Process) -> None:
        waiting = told(process, 1)
        async with process.store.writing() as connection:
            if is_removed:
                await webhooks.remove(connection, HOOK)
            else:
                await webhooks.change(connection, HOOK, values={"is_active": False})
        await process.desk.directory.load()
        process.notify.tell(waiting)
        await settled(process)
        assert process.deliverer.calls == []
        assert rows(process, "select count(*) from outbox") == [(0,)]
        assert DeliveryState.PENDING not in {state for state, *_ in deliveries(process)}

    play(story)


def test_what_an_earlier_process_left_is_told(play: Play) -> None:
    async def story(process: Process) -> None:
        told(process, 1, 2)
        await process.notify.recover()
        await settled(process)
        assert [json.loads(call.body) for call in process.deliverer.calls] == [[[1, 10], [2, 10]]]

    play(story)


def test_what_people_do_to_a_message_is_told_by_the_process_that_runs(play: Play) -> None:
    async def story(process: Process) -> None:
        answered = await accept(process)
        messages = Messages(process.store, process.clock, told=told_states)
        await messages.cancel(str(answered.verdicts[0].message_id))
        for _ in range(5):
            await settled(process)
        assert rows(process, "select count(*) from outbox") == [(0,)]
        assert len(process.deliverer.calls) == 1

    play(story)
