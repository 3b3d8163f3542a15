"""Notify's hops: a delivery replaces the outbox rows it tells, and remembers what came of its calls."""

import pytest

from heliograph.core.events import Audience, EventKind
from heliograph.core.ids import MessageId, WebhookId
from heliograph.core.states import MessageState
from heliograph.store import telling
from heliograph.store.hops.notify import GROUP, TRIED, DeliveryState, GroupRequest, TriedRequest
from heliograph.testing.stores import FreshStore
from tests.conformance.steps import OWNER, RECIPIENT, Steps

HOOK, OTHER_HOOK = WebhookId(1), WebhookId(2)
S = MessageState


def _told(engine: FreshStore, steps: Steps, count: int = 1) -> list[MessageId]:
    """Messages whose submission two webhooks are to be told."""
    steps.audience = Audience({(engine.account_id, state): (HOOK, OTHER_HOOK) for state in (S.SUBMITTED, S.DELIVERED)})
    messages = steps.accept(count, price=1)
    steps.mark(messages)
    steps.settle(*(steps.answer(message, str(message)) for message in messages))
    return messages


def _group(
    engine: FreshStore,
    steps: Steps,
    messages: list[MessageId],
    *,
    delivery_id: int = 90,
    webhook_id: WebhookId = HOOK,
    state: S = S.SUBMITTED,
) -> GroupRequest:
    return GroupRequest(
        delivery_id,
        webhook_id,
        engine.account_id,
        EventKind.STATUS,
        b"\x00body\xff",
        len(messages),
        [(engine.account_id, message, state) for message in messages],
        steps.now_ms,
        OWNER,
    )


def _tried(delivery_id: int, state: DeliveryState, next_at_ms: int, attempts: int = 1) -> TriedRequest:
    return TriedRequest(delivery_id, state, attempts, next_at_ms, 503, "busy", None)


def test_a_delivery_takes_the_place_of_its_outbox_rows(engine: FreshStore, steps: Steps) -> None:
    messages = _told(engine, steps, 3)
    engine.do(GROUP, _group(engine, steps, messages[:2]))
    assert engine.rows("select webhook_id, message_id from outbox order by 1, 2") == [
        (HOOK, messages[2]),
        *((OTHER_HOOK, message) for message in messages),
    ]
    assert engine.rows("select * from delivery") == [
        (
            90,
            HOOK,
            engine.account_id,
            EventKind.STATUS,
            2,
            b"\x00body\xff",
            DeliveryState.PENDING,
            0,
            steps.now_ms,
            None,
            None,
            steps.now_ms,
            None,
            OWNER,
        )
    ]


def test_only_the_state_that_was_told_leaves_the_outbox(engine: FreshStore, steps: Steps) -> None:
    (message,) = _told(engine, steps)
    steps.settle(steps.receipt(str(message)))
    engine.do(GROUP, _group(engine, steps, [message], state=S.DELIVERED))
    assert engine.rows("select state from outbox where webhook_id = ?", HOOK) == [(S.SUBMITTED,)]


def test_deliveries_of_one_batch(engine: FreshStore, steps: Steps) -> None:
    messages = _told(engine, steps, 1_000)
    requests = [
        _group(engine, steps, messages[place : place + 100], delivery_id=place + 1) for place in range(0, 1_000, 100)
    ]
    commits = engine.writer.commits
    assert engine.together(GROUP, requests) == [frozenset()] * 10
    assert engine.writer.commits == commits + 1
    assert engine.rows("select distinct webhook_id from outbox") == [(OTHER_HOOK,)]


def test_a_delivery_that_cannot_be_stored_leaves_its_outbox_rows(engine: FreshStore, steps: Steps) -> None:
    messages = _told(engine, steps, 2)
    requests = [_group(engine, steps, [message]) for message in messages]
    first, second = engine.together(GROUP, requests)
    assert first == frozenset()
    assert isinstance(second, Exception)
    assert engine.rows("select message_id from outbox where webhook_id = ?", HOOK) == [(messages[1],)]


def test_what_another_process_has_told_is_not_told_again(engine: FreshStore, steps: Steps) -> None:
    first, second, third = _told(engine, steps, 3)
    before = engine.rows("select * from outbox where webhook_id = ? and message_id = ?", HOOK, second)
    engine.do(GROUP, _group(engine, steps, [first]))
    late = _group(engine, steps, [first, second], delivery_id=91)
    requests = [late, _group(engine, steps, [third], delivery_id=92)]
    missing = frozenset({(engine.account_id, first, int(S.SUBMITTED))})
    assert engine.together(GROUP, requests) == [missing, frozenset()]
    assert engine.rows("select id from delivery order by id") == [(90,), (92,)]
    assert engine.rows("select * from outbox where webhook_id = ?", HOOK) == before


def test_what_came_of_a_call_is_kept(engine: FreshStore, steps: Steps) -> None:
    engine.do(GROUP, _group(engine, steps, _told(engine, steps)))
    engine.do(TRIED, _tried(90, DeliveryState.PENDING, steps.now_ms + 5))
    columns = "state, attempts, next_at_ms, status, note, settled_at_ms"
    assert engine.rows(f"select {columns} from delivery") == [(1, 1, steps.now_ms + 5, 503, "busy", None)]
    engine.do(TRIED, TriedRequest(90, DeliveryState.DELIVERED, 2, 0, 200, "", 17))
    assert engine.rows(f"select {columns} from delivery") == [(2, 2, 0, 200, "", 17)]


def test_calls_of_one_batch(engine: FreshStore, steps: Steps) -> None:
    for delivery_id in (1, 2, 3):
        engine.do(GROUP, _group(engine, steps, [], delivery_id=delivery_id))
    requests = [_tried(delivery_id, DeliveryState.DEAD, 0, delivery_id) for delivery_id in (1, 3, 99)]
    assert engine.together(TRIED, requests) == [None] * 3
    assert engine.rows("select id, state, attempts from delivery order by id") == [(1, 3, 1), (2, 1, 0), (3, 3, 3)]


def test_the_outbox_is_read_in_pages(engine: FreshStore, steps: Steps) -> None:
    messages = _told(engine, steps, 3)
    steps.settle(steps.receipt(str(messages[0])))
    after: tuple[int, int, int, int] | None = None
    pages = []
    while True:
        page = engine.reading(lambda connection, after=after: telling.outbox_page(connection, after, most=3))  # type: ignore[misc]
        if not page:
            break
        pages.append(page)
        last = page[-1]
        after = (last.webhook_id, last.event.account_id, last.event.message_id, last.event.state)
    assert [len(page) for page in pages] == [3, 3, 2]
    told = [(each.webhook_id, each.event.message_id, each.event.state) for page in pages for each in page]
    first, second, third = messages
    assert told == [
        (hook, message, state)
        for hook in (HOOK, OTHER_HOOK)
        for message, state in ((first, S.SUBMITTED), (first, S.DELIVERED), (second, S.SUBMITTED), (third, S.SUBMITTED))
    ]
    assert {each.event.recipient for page in pages for each in page} == {RECIPIENT}


@pytest.mark.parametrize("state", [DeliveryState.DELIVERED, DeliveryState.DEAD])
def test_a_delivery_is_due_until_it_has_ended(engine: FreshStore, steps: Steps, state: DeliveryState) -> None:
    def due(at_ms: int, hook: WebhookId = HOOK) -> list[int]:
        found = engine.reading(lambda connection: telling.due(connection, hook, at_ms=at_ms, most=2))
        hooks = engine.reading(lambda connection: telling.webhooks_due(connection, at_ms=at_ms))
        assert (hook in hooks) == bool(found)
        return [each.delivery_id for each in found]

    for delivery_id in (1, 2, 3):
        engine.do(GROUP, _group(engine, steps, [], delivery_id=delivery_id))
        engine.do(TRIED, _tried(delivery_id, DeliveryState.PENDING, 100 - delivery_id))
    assert due(96) == []
    assert due(98) == [3, 2]
    assert due(100) == [3, 2]
    assert due(100, OTHER_HOOK) == []
    engine.do(TRIED, _tried(3, state, 0))
    assert due(100) == [2, 1]
