"""Sweeps: whatever is past its time is found, page by page, and what is still needed is kept."""

from sqlalchemy import select

from heliograph.core.ids import MessageId, WebhookId
from heliograph.core.messages import IdempotencyKey
from heliograph.core.receipts import Receipt
from heliograph.core.settling import ReceiptFact
from heliograph.core.standing import Doubted
from heliograph.core.states import MessageState
from heliograph.store import overdue, retention
from heliograph.store.hops.accept import ACCEPT
from heliograph.store.hops.mark import MARK, MarkRequest
from heliograph.store.hops.notify import GROUP, TRIED, DeliveryState, GroupRequest, TriedRequest
from heliograph.store.overdue import START, Cursor, Overdue
from heliograph.store.schema import receipt_map
from heliograph.testing.stores import FreshStore
from tests.conformance.steps import OWNER, RECIPIENT, SENDER, SESSION, VALID_MS, Steps

S = MessageState
DAY_MS = 24 * 3_600_000


def _pages(engine: FreshStore, before_ms: int, most: int = 2) -> list[list[MessageId]]:
    cursor = START
    pages: list[list[MessageId]] = []
    while True:
        page, cursor = engine.reading(
            lambda connection, cursor=cursor: overdue.page(connection, cursor, before_ms=before_ms, most=most)  # type: ignore[misc]
        )
        if not page:
            assert cursor == START
            return pages
        pages.append([each.message_id for each in page])


def _submitted(steps: Steps) -> MessageId:
    message = steps.leaving(price=1)
    steps.settle(steps.answer(message, str(message)))
    return message


# Overdue ---------------------------------------------------------------------------------------------------------


def test_submitted_and_held_messages_are_overdue_after_their_validity(engine: FreshStore, steps: Steps) -> None:
    submitted, held, delivered, leaving = _submitted(steps), steps.leaving(), _submitted(steps), steps.leaving()
    steps.settle(steps.outcome(held, Doubted()), steps.receipt(str(delivered)))
    (queued,) = steps.accept()
    assert {steps.state(message) for message in (leaving, queued)} == {S.SUBMITTING, S.QUEUED}
    later_ms = steps.now_ms + VALID_MS + 1
    assert _pages(engine, later_ms) == [[submitted, held]]


def test_a_message_is_not_overdue_before(engine: FreshStore, steps: Steps) -> None:
    expires_at_ms = steps.now_ms + VALID_MS
    message = _submitted(steps)
    assert _pages(engine, expires_at_ms) == []
    assert _pages(engine, expires_at_ms + 1) == [[message]]


def test_an_overdue_message_is_named_with_its_carrier(engine: FreshStore, steps: Steps) -> None:
    message = _submitted(steps)
    page, cursor = engine.reading(
        lambda connection: overdue.page(connection, START, before_ms=steps.now_ms + DAY_MS, most=2)
    )
    assert page == [Overdue(engine.account_id, message, engine.carrier_id)]
    assert cursor == Cursor(engine.account_id, message)


def test_overdue_messages_of_all_accounts_come_in_pages(engine: FreshStore, steps: Steps) -> None:
    messages = [_submitted(steps) for _ in range(5)]
    engine.add_account("idle", 0)
    other = engine.add_account("other", 10)
    request = steps.request([RECIPIENT] * 3, account_id=other, price=1)
    engine.do(ACCEPT, request)
    others = [message.message_id for message in request.messages]
    facts = [steps.outcome(message, Doubted())._replace(account_id=other) for message in others]
    engine.do(
        MARK, MarkRequest(OWNER, engine.carrier_id, SESSION, [(other, message) for message in others], steps.now_ms)
    )
    steps.settle(*facts)
    assert _pages(engine, steps.now_ms + DAY_MS) == [messages[:2], messages[2:4], messages[4:], others[:2], others[2:]]


# Strays ----------------------------------------------------------------------------------------------------------


def _strays(engine: FreshStore, most: int = 10) -> list[ReceiptFact]:
    found = engine.reading(lambda connection: overdue.strays(connection, (0, ""), most=most))
    return [ReceiptFact(*each) for each in found]


def test_a_receipt_parked_before_its_message_was_held_is_heard_again(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving()
    parked = steps.receipt("stray", S.UNDELIVERED)
    steps.settle(parked)
    assert _strays(engine) == []
    steps.settle(steps.outcome(message, Doubted()))
    assert _strays(engine) == [parked]
    steps.settle(*_strays(engine))
    assert steps.state(message) is S.UNDELIVERED
    assert _strays(engine) == []


def test_strays_of_carriers_without_doubts_and_reports_on_the_way_are_left(engine: FreshStore, steps: Steps) -> None:
    steps.settle(
        steps.receipt("south", carrier_id=engine.other_carrier_id),
        steps.receipt("on its way", None),
        steps.outcome(steps.leaving(), Doubted()),
    )
    assert _strays(engine) == []


def test_a_stray_that_fits_nothing_stays_as_it_was(engine: FreshStore, steps: Steps) -> None:
    steps.settle(steps.outcome(steps.leaving(), Doubted()), steps.receipt("stray", recipient="+27830000000"))
    before = engine.rows("select * from receipt_map")
    steps.now_ms += 1_000
    steps.settle(*_strays(engine))
    assert engine.rows("select * from receipt_map") == before


def test_a_strays_addresses_come_back_as_they_were(engine: FreshStore, steps: Steps) -> None:
    ends = [
        (SENDER.removeprefix("+"), "27831230000"),
        ("", "27831230000"),
        ("27831230000", ""),
        ("", ""),
        ("27831230000", "My Shop"),
        ("My Shop", "27831230000"),
    ]
    steps.settle(steps.outcome(steps.leaving(), Doubted()))
    for number, addresses in enumerate(ends):
        steps.settle(ReceiptFact(engine.carrier_id, Receipt(str(number), S.DELIVERED, addresses, "e"), steps.now_ms))
    found = {each.receipt.key: each.receipt.addresses for each in _strays(engine)}
    assert found == {str(number): addresses for number, addresses in enumerate(ends)}


# Prune -----------------------------------------------------------------------------------------------------------


def _prune(engine: FreshStore, before_ms: int, most: int = 2) -> int:
    """Prune the whole receipt map; returns the number of pages."""
    place: tuple[int, str] | None = (0, "")
    pages = 0
    while place is not None:
        place = engine.writing(
            lambda connection, place=place: overdue.prune_receipts(
                connection, place, before_ms=before_ms, unanswered_before_ms=0, most=most
            )  # type: ignore[misc]
        )
        pages += 1
    return pages


def test_settled_and_stray_receipts_are_forgotten_and_open_ones_kept(engine: FreshStore, steps: Steps) -> None:
    open_one, settled = steps.leaving(), steps.leaving()
    steps.settle(
        steps.answer(open_one, "open"),
        steps.answer(settled, "settled"),
        steps.receipt("settled"),
        steps.receipt("stray"),
        steps.receipt("on its way", None),
    )
    steps.now_ms += 1_000
    steps.settle(steps.receipt("young"))
    assert _prune(engine, steps.now_ms - 1) == 3
    assert engine.rows("select match_key from receipt_map order by match_key") == [("open",), ("young",)]
    steps.settle(steps.receipt("open"))
    assert steps.state(open_one) is S.DELIVERED


def test_a_receipt_of_the_very_time_is_kept(engine: FreshStore, steps: Steps) -> None:
    at_ms = steps.now_ms
    steps.settle(steps.receipt("stray"))
    _prune(engine, at_ms)
    assert steps.count("receipt_map") == 1
    _prune(engine, at_ms + 1)
    assert steps.count("receipt_map") == 0


def test_a_thousand_receipts_are_forgotten(engine: FreshStore, steps: Steps) -> None:
    for carrier_id in (engine.carrier_id, engine.other_carrier_id):
        steps.settle(*(steps.receipt(str(number), carrier_id=carrier_id) for number in range(1_000)))
    assert _prune(engine, steps.now_ms + 1, 500) == 5
    assert engine.reading(lambda connection: connection.scalar(select(receipt_map.c.match_key))) is None


def test_old_keys_are_forgotten_in_pages(engine: FreshStore, steps: Steps) -> None:
    for number in range(5):
        engine.do(ACCEPT, steps.request([], idempotency=IdempotencyKey(f"key {number}", "digest")))
        steps.now_ms += 1

    def forget() -> int:
        before_ms = steps.now_ms - 1
        return engine.writing(lambda connection: retention.forget_keys(connection, before_ms=before_ms, most=3))

    assert [forget(), forget(), forget()] == [3, 1, 0]
    assert engine.rows("select name from idempotency") == [("key 4",)]


def test_ended_deliveries_are_forgotten_and_pending_ones_kept(engine: FreshStore, steps: Steps) -> None:
    made = []
    for state in (DeliveryState.PENDING, DeliveryState.DELIVERED, DeliveryState.DEAD, DeliveryState.DELIVERED):
        delivery_id = steps.ids.next(steps.now_ms)
        made.append(delivery_id)
        engine.do(GROUP, GroupRequest(delivery_id, WebhookId(1), engine.account_id, 1, b"", 0, [], steps.now_ms))
        engine.do(TRIED, TriedRequest(delivery_id, state, 1, 0, None, "", None))
        steps.now_ms += 1
    before_ms = steps.now_ms - 1

    def forget() -> int:
        return engine.writing(lambda connection: retention.forget_deliveries(connection, before_ms=before_ms, most=1))

    assert [forget(), forget(), forget()] == [1, 1, 0]
    assert engine.rows("select id from delivery order by id") == [(made[0],), (made[3],)]
