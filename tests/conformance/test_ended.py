"""Ended messages are forgotten after their time, whole, and the books still agree; what is needed is kept."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from heliograph.core.events import Audience
from heliograph.core.ids import AccountId, MessageId, SubmissionId, WebhookId
from heliograph.core.messages import IdempotencyKey
from heliograph.core.money import CREDIT
from heliograph.core.reasons import Reason
from heliograph.core.standing import Doubted, Ended, Requeued
from heliograph.core.states import MessageState
from heliograph.pipeline import forget
from heliograph.pipeline.forget import DAY_MS, forget_ended
from heliograph.store import audit, ended
from heliograph.store.hops.accept import ACCEPT
from heliograph.store.hops.notify import GROUP, TRIED, DeliveryState, GroupRequest, TriedRequest
from heliograph.testing.stores import NOW_MS, FreshStore
from tests.conformance.steps import RECIPIENT, Steps, faults

S = MessageState
HOOK = WebhookId(1)
WEEK_MS = 7 * DAY_MS
TABLES = ("submission", "message", "event", "attempt", "receipt_map", "submission_media")


class Later:
    """A clock that stands at a time, and moves on when somebody sleeps."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms
        self.naps = 0

    def now_ms(self) -> int:
        """Now."""
        return self.at_ms

    def monotonic(self) -> float:
        """Now."""
        return self.at_ms / 1000

    async def sleep(self, seconds: float) -> None:
        """Move on."""
        self.naps += 1


def _forget(engine: FreshStore, now_ms: int) -> int:
    """One round, a week after which ended messages may go."""

    return engine.run(forget_ended(engine.store, Later(now_ms), before_ms=now_ms - WEEK_MS))


def _delivered(steps: Steps, *, segments: int = 1, price: int = CREDIT) -> MessageId:
    message = steps.leaving(segments=segments, price=price)
    for segment in range(segments):
        steps.settle(steps.answer(message, f"{message}-{segment}", segment))
    steps.settle(*(steps.receipt(f"{message}-{segment}") for segment in range(segments)))
    assert steps.state(message) is S.DELIVERED
    return message


def _messages(engine: FreshStore) -> list[MessageId]:
    return [MessageId(int(str(row[0]))) for row in engine.rows("select id from message order by account_id, id")]


@pytest.fixture(autouse=True)
def _books_agree(engine: FreshStore) -> Iterator[None]:
    """Whatever a test does, the books agree with the messages, and no message is what none may be."""
    yield
    books = engine.reading(lambda connection: audit.books_of(connection, engine.account_id))
    assert books.kept == books.posted
    assert (books.kept.held, books.kept.captured) == (books.held, books.captured)
    strange = {"belong to a process that never was (lost)"}  # The steps have no owner's row.
    assert faults(engine, audit.searches_of(engine.account_id)) <= strange
    lost = "select match_key from receipt_map r where message_id is not null and not exists "
    assert (
        engine.rows(f"{lost}(select 1 from message m where m.account_id = r.account_id and m.id = r.message_id)") == []
    )


def test_what_ended_a_week_ago_goes_with_all_that_belongs_to_it(engine: FreshStore, steps: Steps) -> None:
    _delivered(steps, segments=3, price=3 * CREDIT)
    (failed,) = steps.accept()
    steps.settle(steps.outcome(failed, Ended(S.FAILED, Reason.RETRIES_EXHAUSTED)))
    unknown = steps.leaving()
    steps.settle(steps.answer(unknown, "silent"))
    steps.settle(steps.outcome(unknown, Ended(S.UNKNOWN, Reason.NO_RECEIPT)))
    held, captured = engine.balance().held, engine.balance().captured
    assert (held, captured) == (0, 4 * CREDIT)
    assert _forget(engine, steps.now_ms + WEEK_MS - 10) == 0
    assert _forget(engine, steps.now_ms + WEEK_MS) == 3
    assert {table: steps.count(table) for table in TABLES} == dict.fromkeys(TABLES, 0)
    assert engine.rows("select account_id, messages, captured from forgotten") == [(engine.account_id, 3, captured)]
    # Once more changes nothing; more is added to what was.
    assert _forget(engine, steps.now_ms + WEEK_MS) == 0
    _delivered(steps)
    assert _forget(engine, steps.now_ms + WEEK_MS) == 1
    assert engine.rows("select messages, captured from forgotten") == [(4, captured + CREDIT)]


def test_what_is_unfinished_stays_for_ever(engine: FreshStore, steps: Steps) -> None:
    (queued,) = steps.accept()
    leaving, held, submitted, again = (steps.leaving() for _ in range(4))
    steps.settle(steps.outcome(held, Doubted()), steps.answer(submitted, "open"))
    steps.settle(steps.outcome(again, Requeued(engine.carrier_id, counts=True, due_ms=5)))
    before = {table: steps.count(table) for table in TABLES}
    assert _forget(engine, steps.now_ms + 100 * DAY_MS) == 0
    assert _messages(engine) == sorted([queued, leaving, held, submitted, again])
    assert {table: steps.count(table) for table in TABLES} == before
    # The id that the carrier gave is still known.
    steps.settle(steps.receipt("open"))
    assert steps.state(submitted) is S.DELIVERED


def test_what_ended_late_is_kept_for_its_week(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving()
    steps.settle(steps.answer(message, "a"))
    steps.now_ms += 5 * DAY_MS
    steps.settle(steps.receipt("a"))
    ended_ms = steps.now_ms - 1
    assert _forget(engine, ended_ms + WEEK_MS) == 0
    assert _forget(engine, ended_ms + WEEK_MS + 1) == 1


def test_what_a_webhook_has_not_heard_of_is_kept(engine: FreshStore, steps: Steps) -> None:
    steps.audience = Audience({(engine.account_id, S.DELIVERED): (HOOK,)})
    told, untold = _delivered(steps), _delivered(steps)
    at_ms = steps.now_ms
    delivery_id = steps.ids.next(at_ms)
    keys = [(engine.account_id, told, S.DELIVERED)]
    engine.do(GROUP, GroupRequest(delivery_id, HOOK, engine.account_id, 1, b"{}", 1, keys, at_ms))
    # One stands in the outbox, the other in a delivery that nobody has taken.
    assert _forget(engine, at_ms + WEEK_MS) == 0
    engine.do(TRIED, TriedRequest(delivery_id, DeliveryState.DELIVERED, 1, 0, 200, "", None))
    assert _forget(engine, at_ms + WEEK_MS) == 1
    assert _messages(engine) == [untold]


def test_an_old_delivery_keeps_the_messages_of_its_day_and_later_ones(engine: FreshStore, steps: Steps) -> None:
    _delivered(steps)
    steps.now_ms += 2 * DAY_MS
    kept = _delivered(steps)
    engine.do(GROUP, GroupRequest(steps.ids.next(steps.now_ms), HOOK, engine.account_id, 1, b"", 1, [], steps.now_ms))
    steps.now_ms += 2 * DAY_MS
    later = _delivered(steps)
    other = engine.add_account("other", CREDIT)
    assert _forget(engine, steps.now_ms + WEEK_MS) == 1
    assert _messages(engine) == [kept, later]
    assert other not in {row[0] for row in engine.rows("select account_id from forgotten")}


def test_a_carrier_that_spoke_of_a_message_lately_keeps_it(engine: FreshStore, steps: Steps) -> None:
    message, quiet = _delivered(steps), _delivered(steps)
    late_ms = steps.now_ms + WEEK_MS
    key = f"{message}-0"
    engine.writing(
        lambda connection: connection.execute(
            text("update receipt_map set at_ms = :at_ms where match_key = :key"), {"at_ms": late_ms, "key": key}
        )
    )
    assert _forget(engine, late_ms + DAY_MS) == 1
    assert quiet not in _messages(engine)
    assert engine.rows("select match_key from receipt_map") == [(key,)]
    assert _forget(engine, late_ms + 3 * DAY_MS) == 0
    assert _forget(engine, late_ms + 3 * DAY_MS + 1) == 1
    # A repetition after all that is a stray like any other.
    steps.settle(steps.receipt(key))
    assert engine.rows("select match_key, message_id from receipt_map") == [(key, None)]


def test_a_submission_stays_while_one_of_its_messages_does(engine: FreshStore, steps: Steps) -> None:
    request = steps.request([RECIPIENT] * 3, idempotency=IdempotencyKey("k", "d"))
    engine.do(ACCEPT, request)
    first, *others = [message.message_id for message in request.messages]
    failed = Ended(S.FAILED, Reason.RETRIES_EXHAUSTED)
    steps.settle(*(steps.outcome(message, failed) for message in others))
    alone = _delivered(steps)
    assert alone not in others
    assert _forget(engine, steps.now_ms + WEEK_MS) == 3
    assert engine.rows("select id from submission") == [(request.bodies[0].submission_id,)]
    steps.settle(steps.outcome(first, failed))
    assert _forget(engine, steps.now_ms + WEEK_MS) == 1
    assert steps.count("submission") == 0


def test_a_great_many_go_in_small_turns(engine: FreshStore, steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    request = steps.request([RECIPIENT] * 500, price=0)
    engine.do(ACCEPT, request)
    failed = Ended(S.FAILED, Reason.RETRIES_EXHAUSTED)
    messages = [message.message_id for message in request.messages]
    steps.settle(*(steps.outcome(message, failed) for message in messages if message != messages[7]))
    sizes: list[int] = []
    whole = ended.forget

    async def counted(connection: object, account_id: AccountId, ids: list[MessageId], *, before_ms: int) -> int:
        sizes.append(len(ids))
        return await whole(connection, account_id, ids, before_ms=before_ms)  # type: ignore[arg-type]

    monkeypatch.setattr(ended, "forget", counted)
    # So many ids at once are dated some milliseconds ahead.
    assert _forget(engine, steps.now_ms + WEEK_MS + 100) == 499
    assert sum(sizes) == 499
    assert max(sizes) <= forget.PAGE
    assert _messages(engine) == [messages[7]]
    assert steps.count("submission") == 1
    assert SubmissionId(messages[0]) > request.bodies[0].submission_id


def test_what_changed_since_it_was_looked_at_is_left_alone(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving()
    steps.settle(steps.answer(message, "a"))
    steps.settle(steps.outcome(message, Ended(S.UNKNOWN, Reason.NO_RECEIPT)))
    steps.now_ms += WEEK_MS + 5
    before_ms = steps.now_ms - WEEK_MS
    found = engine.reading(
        lambda connection: ended.page(connection, engine.account_id, MessageId(0), before_ms=before_ms, most=9)
    )
    assert found == [message]
    steps.settle(steps.receipt("a"))
    assert steps.state(message) is S.DELIVERED
    count = engine.writing(lambda connection: ended.forget(connection, engine.account_id, found, before_ms=before_ms))
    assert count == 0
    assert _messages(engine) == [message]


def test_nothing_goes_while_too_much_is_waited_for(
    engine: FreshStore, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forget, "MOST_KEPT", 2)
    steps.audience = Audience({(engine.account_id, S.DELIVERED): (HOOK,)})
    for _ in range(3):
        _delivered(steps)
    steps.audience = Audience({})
    _delivered(steps)
    assert steps.now_ms > NOW_MS
    assert _forget(engine, steps.now_ms + WEEK_MS) == 0
    assert len(_messages(engine)) == 4
