"""Accept: all or nothing for each request, credit given once, the same answer to the same key."""

import pytest

from heliograph.core.ids import AccountId, MessageId, SubmissionId
from heliograph.core.ledger import Balance, PostingKind
from heliograph.core.messages import IdempotencyKey
from heliograph.core.money import CREDIT
from heliograph.core.states import Charge, MessageState
from heliograph.store.hops.accept import ACCEPT, AcceptRequest, KeyReused, NewBody, NotEnough, Replay, Stored
from heliograph.testing.stores import GRANT, FreshStore
from tests.conformance.steps import OWNER, RECIPIENT, SENDER, VALID_MS, Steps


def _postings(engine: FreshStore, account_id: AccountId) -> dict[PostingKind, int]:
    rows = engine.rows("select kind, sum(amount) from posting where account_id = ? group by kind", account_id)
    return {PostingKind(int(str(kind))): int(str(amount)) for kind, amount in rows}


def test_a_submission_and_its_messages_are_stored_as_they_were_asked_for(engine: FreshStore, steps: Steps) -> None:
    request = steps.request([RECIPIENT, "+27831234568"], segments=2, price=3 * CREDIT)
    assert engine.do(ACCEPT, request) == Stored(GRANT - 6 * CREDIT)
    assert engine.rows("select account_id, id, dialect, channel, sender, text from submission") == [
        (engine.account_id, request.bodies[0].submission_id, "touchbasepro", 1, SENDER, "Hello")
    ]
    columns = "id, submission_id, recipient, state, segments, accepted, delivered, charge, attempts, carrier_id, price"
    assert engine.rows(f"select {columns}, owner, expires_at_ms, session from message order by id") == [
        (
            message.message_id,
            request.bodies[0].submission_id,
            recipient,
            MessageState.QUEUED,
            2,
            0,
            0,
            Charge.HELD,
            0,
            engine.carrier_id,
            3 * CREDIT,
            OWNER,
            steps.now_ms + VALID_MS,
            None,
        )
        for message, recipient in zip(request.messages, (RECIPIENT, "+27831234568"), strict=True)
    ]
    assert steps.count("ready") == 0


def test_the_price_is_held_and_posted(engine: FreshStore, steps: Steps) -> None:
    engine.do(ACCEPT, steps.request([RECIPIENT] * 3, price=2 * CREDIT))
    assert engine.balance() == Balance(GRANT - 6 * CREDIT, 6 * CREDIT, 0)
    assert _postings(engine, engine.account_id) == {PostingKind.GRANT: GRANT, PostingKind.HOLD: 6 * CREDIT}


def test_postings_of_one_millisecond_are_added_up(engine: FreshStore, steps: Steps) -> None:
    for _ in range(2):
        engine.do(ACCEPT, steps.request([RECIPIENT]))
    held = engine.rows("select amount from posting where kind = ?", PostingKind.HOLD)
    assert held == [(2 * CREDIT,)]


def test_credit_is_decided_in_order_within_a_batch(engine: FreshStore, steps: Steps) -> None:
    poor = engine.add_account("poor", 5 * CREDIT)
    requests = [steps.request([RECIPIENT], price=price * CREDIT, account_id=poor) for price in (3, 3, 2, 1)]
    assert engine.together(ACCEPT, requests) == [
        Stored(2 * CREDIT),
        NotEnough(2 * CREDIT),
        Stored(0),
        NotEnough(0),
    ]
    assert engine.balance(poor) == Balance(0, 5 * CREDIT, 0)
    stored = engine.rows("select id from message order by id")
    assert stored == [(requests[0].messages[0].message_id,), (requests[2].messages[0].message_id,)]
    assert steps.count("submission") == 2


def test_a_refused_submission_leaves_nothing(engine: FreshStore, steps: Steps) -> None:
    poor = engine.add_account("poor", CREDIT)
    key = IdempotencyKey("k", "d")
    request = steps.request([RECIPIENT] * 2, account_id=poor, idempotency=key, waits=True)
    assert engine.do(ACCEPT, request) == NotEnough(CREDIT)
    assert engine.balance(poor) == Balance(CREDIT, 0, 0)
    assert [steps.count(table) for table in ("submission", "message", "ready", "idempotency")] == [0, 0, 0, 0]
    # The key was not used up: the same request passes once there is credit.
    smaller = steps.request([RECIPIENT], account_id=poor, idempotency=key)
    assert engine.do(ACCEPT, smaller) == Stored(0)


def test_accounts_of_one_batch_do_not_touch_each_other(engine: FreshStore, steps: Steps) -> None:
    other = engine.add_account("other", 2 * CREDIT)
    requests = [
        steps.request([RECIPIENT], account_id=other, price=2 * CREDIT),
        steps.request([RECIPIENT], price=CREDIT),
        steps.request([RECIPIENT], account_id=other, price=CREDIT),
    ]
    assert engine.together(ACCEPT, requests) == [Stored(0), Stored(GRANT - CREDIT), NotEnough(0)]
    assert engine.balance(other) == Balance(0, 2 * CREDIT, 0)
    assert engine.balance() == Balance(GRANT - CREDIT, CREDIT, 0)
    assert _postings(engine, other)[PostingKind.HOLD] == 2 * CREDIT


def test_an_unknown_account_has_no_credit(engine: FreshStore, steps: Steps) -> None:
    assert engine.do(ACCEPT, steps.request([RECIPIENT], account_id=AccountId(999))) == NotEnough(0)


def test_what_costs_nothing_is_stored_without_a_posting(engine: FreshStore, steps: Steps) -> None:
    poor = engine.add_account("poor", 0)
    assert engine.do(ACCEPT, steps.request([RECIPIENT], price=0, account_id=poor)) == Stored(0)
    assert PostingKind.HOLD not in _postings(engine, poor)


def test_a_key_used_again_gets_the_first_answer(engine: FreshStore, steps: Steps) -> None:
    key = IdempotencyKey("order-1", "digest")
    first = steps.request([RECIPIENT], idempotency=key)
    assert engine.do(ACCEPT, first) == Stored(GRANT - CREDIT)
    engine.do(ACCEPT, steps.request([RECIPIENT]))
    again = steps.request([RECIPIENT], idempotency=key)
    assert engine.do(ACCEPT, again) == Replay(first.answer, GRANT - CREDIT)
    assert steps.count("message") == 2
    assert engine.balance() == Balance(GRANT - 2 * CREDIT, 2 * CREDIT, 0)


def test_a_key_used_for_another_body_is_refused(engine: FreshStore, steps: Steps) -> None:
    engine.do(ACCEPT, steps.request([RECIPIENT], idempotency=IdempotencyKey("order-1", "digest")))
    other = steps.request([RECIPIENT], idempotency=IdempotencyKey("order-1", "another"))
    assert engine.do(ACCEPT, other) == KeyReused()
    assert steps.count("message") == 1


def test_a_key_used_twice_in_one_batch_is_stored_once(engine: FreshStore, steps: Steps) -> None:
    key = IdempotencyKey("order-1", "digest")
    first, second = (steps.request([RECIPIENT], idempotency=key) for _ in range(2))
    third = steps.request([RECIPIENT], idempotency=key._replace(body_digest="another"))
    assert engine.together(ACCEPT, [first, second, third]) == [
        Stored(GRANT - CREDIT),
        Replay(first.answer, GRANT - CREDIT),
        KeyReused(),
    ]
    assert steps.count("message") == 1
    assert steps.count("idempotency") == 1


def test_a_key_belongs_to_its_account(engine: FreshStore, steps: Steps) -> None:
    other = engine.add_account("other", CREDIT)
    key = IdempotencyKey("order-1", "digest")
    requests = [steps.request([RECIPIENT], idempotency=key, account_id=account) for account in (None, other)]
    assert engine.together(ACCEPT, requests) == [Stored(GRANT - CREDIT), Stored(0)]


def test_a_submission_without_good_recipients_is_only_remembered(engine: FreshStore, steps: Steps) -> None:
    request = steps.request([], idempotency=IdempotencyKey("order-1", "digest"))
    assert engine.do(ACCEPT, request) == Stored(GRANT)
    assert steps.count("submission") == 0
    assert engine.do(ACCEPT, request) == Replay(request.answer, GRANT)


def test_what_memory_has_no_room_for_waits_in_ready(engine: FreshStore, steps: Steps) -> None:
    waiting = steps.request([RECIPIENT] * 2, waits=True)
    engine.together(ACCEPT, [steps.request([RECIPIENT]), waiting])
    assert engine.rows("select due_at_ms, account_id, message_id from ready order by message_id") == [
        (steps.now_ms, engine.account_id, message.message_id) for message in waiting.messages
    ]
    assert engine.rows("select id from message where owner = 0 order by id") == [
        (message.message_id,) for message in waiting.messages
    ]


def test_a_request_that_cannot_be_stored_fails_alone(engine: FreshStore, steps: Steps) -> None:
    requests = [steps.request([RECIPIENT]) for _ in range(7)]
    requests[3] = requests[3]._replace(bodies=requests[0].bodies)
    results = engine.together(ACCEPT, requests)
    assert isinstance(results[3], Exception)
    assert [isinstance(result, Stored) for result in results] == [True] * 3 + [False] + [True] * 3
    assert engine.balance() == Balance(GRANT - 6 * CREDIT, 6 * CREDIT, 0)
    assert steps.count("message") == 6


@pytest.mark.parametrize("text", ["", "a\x7f'\"\\\n", "😀" * 600, '{"a": [1]}', "null", "007"])
def test_a_text_comes_back_as_it_was(engine: FreshStore, steps: Steps, text: str) -> None:
    engine.do(ACCEPT, steps.request([RECIPIENT])._replace(bodies=[NewBody(SubmissionId(1), text)]))
    assert engine.rows("select text from submission") == [(text,)]


def _of_two_bodies(steps: Steps, **values: object) -> AcceptRequest:
    """A submission whose recipients get different texts."""
    request = steps.request([RECIPIENT, "+27831234568", "+27831234569"])
    first, second = request.bodies[0], NewBody(SubmissionId(request.bodies[0].submission_id + 1), "Ciao", '{"a":"b"}')
    messages = [
        message._replace(message_id=MessageId(message.message_id + 5), submission_id=body.submission_id)
        for message, body in zip(request.messages, (first, second, first), strict=True)
    ]
    return request._replace(bodies=[first, second], messages=messages, **values)  # type: ignore[arg-type]


def test_each_message_has_its_own_body(engine: FreshStore, steps: Steps) -> None:
    plain = steps.request([RECIPIENT])
    engine.together(ACCEPT, [plain, _of_two_bodies(steps)])
    texts = "select s.text, s.traits from message m join submission s on s.account_id = m.account_id"
    assert engine.rows(f"{texts} and s.id = m.submission_id order by m.id") == [
        ("Hello", None), ("Hello", None), ("Ciao", '{"a":"b"}'), ("Hello", None)
    ]  # fmt: skip
    assert steps.count("submission") == 3


def test_every_body_has_the_files(engine: FreshStore, steps: Steps) -> None:
    request = _of_two_bodies(steps, media=("http://a.example/1", "http://a.example/2"))
    engine.do(ACCEPT, request)
    assert engine.rows("select submission_id, position, url from submission_media order by 1, 2") == [
        (body.submission_id, position, url) for body in request.bodies for position, url in enumerate(request.media)
    ]


def test_scheduled_messages_are_nobodys_until_their_time(engine: FreshStore, steps: Steps) -> None:
    at_ms = steps.now_ms + 60_000
    request = steps.request([RECIPIENT] * 2, waits=True)._replace(send_at_ms=at_ms, talks=True)
    now = steps.request([RECIPIENT])._replace(talks=True)
    engine.together(ACCEPT, [request, now])
    assert engine.rows("select state, owner from message order by id") == [
        (MessageState.SCHEDULED, 0), (MessageState.SCHEDULED, 0), (MessageState.QUEUED, OWNER)
    ]  # fmt: skip
    assert engine.rows("select due_at_ms, message_id from ready order by message_id") == [
        (at_ms, message.message_id) for message in request.messages
    ]
    assert engine.balance() == Balance(GRANT - 3 * CREDIT, 3 * CREDIT, 0)
    # Nobody has been written to yet by what is only scheduled.
    assert engine.rows("select at_ms from conversation") == [(steps.now_ms,)]
    assert steps.count("event") == 0


def test_a_thousand_recipients(engine: FreshStore, steps: Steps) -> None:
    recipients = [f"+2783{number:07}" for number in range(1_000)]
    assert engine.do(ACCEPT, steps.request(recipients, price=7)) == Stored(GRANT - 7_000)
    assert engine.rows("select recipient from message order by id") == [(each,) for each in recipients]


def test_a_thousand_requests(engine: FreshStore, steps: Steps) -> None:
    results = engine.together(ACCEPT, [steps.request([RECIPIENT], price=7) for _ in range(1_000)])
    assert results == [Stored(GRANT - 7 * number) for number in range(1, 1_001)]
    assert engine.balance() == Balance(GRANT - 7_000, 7_000, 0)
    assert engine.writer.commits == 1
