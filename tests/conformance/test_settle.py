"""Settle: whatever order outcomes and receipts come in, a message ends once, well told and rightly charged."""

from itertools import permutations

import pytest

from heliograph.core.events import Audience, Event, Told
from heliograph.core.ids import MessageId, WebhookId
from heliograph.core.ledger import Balance, PostingKind
from heliograph.core.money import CREDIT
from heliograph.core.reasons import Reason
from heliograph.core.receipts import Receipt
from heliograph.core.settling import OutcomeKind, ReceiptFact, SegmentFact
from heliograph.core.standing import Ended, Requeued
from heliograph.core.states import Charge, MessageState
from heliograph.store.hops.settle import SETTLE, SettleRequest
from heliograph.testing.stores import GRANT, FreshStore
from tests.conformance.steps import NOBODY, RECIPIENT, SENDER, Steps

OTHER = "+27831230000"
S = MessageState
BAD_ENDS = (S.UNDELIVERED, S.EXPIRED, S.REJECTED)


pytestmark = pytest.mark.usefixtures("sound_books")


def _map(engine: FreshStore) -> list[tuple[object, ...]]:
    return engine.rows("select match_key, message_id, segment, state, is_settled from receipt_map order by match_key")


# One segment -----------------------------------------------------------------------------------------------------


def test_an_answer_makes_a_message_submitted_and_charged(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving(price=2 * CREDIT)
    settled = steps.settle(steps.answer(message, "a"))
    assert settled.entered == [S.SUBMITTED]
    assert settled.states == {(engine.account_id, message): S.SUBMITTED}
    assert steps.standing(message)[2:8] == (S.SUBMITTED, 1, 1, 0, Charge.CAPTURED, 0)
    assert engine.balance() == Balance(GRANT - 2 * CREDIT, 0, 2 * CREDIT)
    assert _map(engine) == [("a", message, 0, None, 0)]
    assert engine.rows("select segment, outcome, carrier_message_id from attempt") == [
        (0, OutcomeKind.SUBMITTED, "id-a")
    ]


@pytest.mark.parametrize("is_one_batch", [True, False])
@pytest.mark.parametrize("is_answer_first", [True, False])
@pytest.mark.parametrize("end", [S.DELIVERED, *BAD_ENDS, S.UNKNOWN])
def test_answer_and_receipt_in_any_order(
    engine: FreshStore, steps: Steps, is_one_batch: bool, is_answer_first: bool, end: S
) -> None:
    message = steps.leaving()
    facts: list[SegmentFact | ReceiptFact] = [steps.answer(message, "a"), steps.receipt("a", end)]
    if not is_answer_first:
        facts.reverse()
    entered = []
    for batch in [facts] if is_one_batch else [[fact] for fact in facts]:
        entered += steps.settle(*batch).entered
    assert entered == [S.SUBMITTED, end]
    assert steps.events(message) == [S.SUBMITTED, end]
    assert steps.standing(message)[2:7] == (end, 1, 1, int(end is S.DELIVERED), Charge.CAPTURED)
    assert _map(engine) == [("a", message, 0, end, 1)]
    assert engine.balance() == Balance(GRANT - CREDIT, 0, CREDIT)
    assert engine.rows("select detail from event where state = ?", end) == [(end.word,)]


@pytest.mark.parametrize("is_answer_first", [True, False])
def test_answer_and_receipt_of_two_requests_in_one_batch(
    engine: FreshStore, steps: Steps, is_answer_first: bool
) -> None:
    message = steps.leaving()
    facts: list[SegmentFact | ReceiptFact] = [steps.answer(message, "a"), steps.receipt("a")]
    if not is_answer_first:
        facts.reverse()
    engine.together(SETTLE, [SettleRequest([fact], NOBODY) for fact in facts])
    assert steps.events(message) == [S.SUBMITTED, S.DELIVERED]


@pytest.mark.parametrize("is_one_batch", [True, False])
def test_a_receipt_repeated_a_hundred_times_is_one_event(steps: Steps, is_one_batch: bool) -> None:
    message = steps.leaving()
    steps.settle(steps.answer(message, "a"))
    repeated = [steps.receipt("a")] * 100
    for batch in [repeated] if is_one_batch else [[each] for each in repeated]:
        steps.settle(*batch)
    assert steps.events(message) == [S.SUBMITTED, S.DELIVERED]
    assert steps.standing(message).delivered == 1


def test_receipts_parked_a_hundred_times_are_one_event(steps: Steps) -> None:
    message = steps.leaving()
    for _ in range(100):
        steps.settle(steps.receipt("a"))
    assert steps.count("receipt_map") == 1
    steps.settle(steps.answer(message, "a"))
    assert steps.events(message) == [S.SUBMITTED, S.DELIVERED]


def test_delivered_stays_delivered(steps: Steps) -> None:
    message = steps.leaving()
    steps.settle(steps.answer(message, "a"), steps.receipt("a"))
    steps.settle(steps.receipt("a", S.EXPIRED))
    steps.settle(steps.outcome(message, Ended(S.FAILED, Reason.RETRIES_EXHAUSTED)))
    assert steps.events(message) == [S.SUBMITTED, S.DELIVERED]


def test_delivered_stays_delivered_when_both_receipts_came_before_the_answer(steps: Steps) -> None:
    message = steps.leaving()
    steps.settle(steps.receipt("a"))
    steps.settle(steps.receipt("a", S.EXPIRED))
    steps.settle(steps.answer(message, "a"))
    assert steps.state(message) is S.DELIVERED


def test_a_report_on_the_way_changes_nothing(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving()
    steps.settle(steps.receipt("a", None))
    assert steps.settle(steps.answer(message, "a")).entered == [S.SUBMITTED]
    assert steps.settle(steps.receipt("a", None)).entered == []
    assert _map(engine) == [("a", message, 0, None, 0)]
    assert steps.settle(steps.receipt("a")).entered == [S.DELIVERED]


def test_a_report_on_the_way_does_not_hide_a_parked_end(steps: Steps) -> None:
    message = steps.leaving()
    steps.settle(steps.receipt("a"), steps.receipt("a", None))
    steps.settle(steps.answer(message, "a"))
    assert steps.state(message) is S.DELIVERED


def test_an_unknown_end_learns_the_true_one(steps: Steps) -> None:
    message = steps.leaving()
    steps.settle(steps.answer(message, "a"), steps.receipt("a", S.UNKNOWN))
    steps.settle(steps.receipt("a"))
    steps.settle(steps.receipt("a", S.EXPIRED))
    assert steps.events(message) == [S.SUBMITTED, S.UNKNOWN, S.DELIVERED]
    assert steps.standing(message).reason == 0


# Ids -------------------------------------------------------------------------------------------------------------


def test_a_receipt_for_an_unknown_id_is_parked(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving()
    assert steps.settle(steps.receipt("nobody")).entered == []
    assert _map(engine) == [("nobody", None, None, S.DELIVERED, 0)]
    assert steps.state(message) is S.SUBMITTING


def test_an_id_used_again_belongs_to_the_later_message(engine: FreshStore, steps: Steps) -> None:
    first, second = steps.leaving(), steps.leaving(recipient=OTHER)
    steps.settle(steps.answer(first, "a"), steps.receipt("a"))
    steps.settle(steps.answer(second, "a"))
    steps.settle(steps.receipt("a", S.UNDELIVERED, recipient=OTHER))
    assert (steps.state(first), steps.state(second)) == (S.DELIVERED, S.UNDELIVERED)
    assert _map(engine) == [("a", second, 0, S.UNDELIVERED, 1)]


def test_an_id_used_again_in_one_batch(steps: Steps) -> None:
    first, second = steps.leaving(), steps.leaving(recipient=OTHER)
    steps.settle(
        steps.answer(first, "a"),
        steps.receipt("a"),
        steps.answer(second, "a"),
        steps.receipt("a", S.UNDELIVERED, recipient=OTHER),
    )
    assert (steps.state(first), steps.state(second)) == (S.DELIVERED, S.UNDELIVERED)


def test_the_receipt_of_an_id_used_again_may_come_before_its_answer(steps: Steps) -> None:
    first, second = steps.leaving(), steps.leaving(recipient=OTHER)
    steps.settle(steps.answer(first, "a"), steps.receipt("a"))
    steps.settle(steps.receipt("a", S.UNDELIVERED, recipient=OTHER))
    steps.settle(steps.answer(second, "a"))
    assert (steps.state(first), steps.state(second)) == (S.DELIVERED, S.UNDELIVERED)


@pytest.mark.parametrize("is_one_batch", [True, False])
@pytest.mark.parametrize("is_answer_first", [True, False])
def test_equal_ids_of_two_carriers_never_cross(
    engine: FreshStore, steps: Steps, is_one_batch: bool, is_answer_first: bool
) -> None:
    first, second = steps.leaving(), steps.leaving()
    south = engine.other_carrier_id
    answers = [steps.answer(first, "a"), steps.answer(second, "a", carrier_id=south)]
    receipts = [steps.receipt("a", S.UNDELIVERED, carrier_id=south), steps.receipt("a")]
    facts: list[SegmentFact | ReceiptFact] = [*answers, *receipts] if is_answer_first else [*receipts, *answers]
    for batch in [facts] if is_one_batch else [[fact] for fact in facts]:
        steps.settle(*batch)
    assert (steps.state(first), steps.state(second)) == (S.DELIVERED, S.UNDELIVERED)


@pytest.mark.parametrize("is_one_batch", [True, False])
@pytest.mark.parametrize("is_answer_first", [True, False])
def test_a_receipt_about_another_recipient_does_not_match(
    steps: Steps, is_one_batch: bool, is_answer_first: bool
) -> None:
    message = steps.leaving()
    facts: list[SegmentFact | ReceiptFact] = [
        steps.answer(message, "a"),
        steps.receipt("a", S.UNDELIVERED, recipient=OTHER),
    ]
    if not is_answer_first:
        facts.reverse()
    for batch in [facts] if is_one_batch else [[fact] for fact in facts]:
        steps.settle(*batch)
    assert steps.state(message) is S.SUBMITTED
    steps.settle(steps.receipt("a"))
    assert steps.state(message) is S.DELIVERED


def test_a_receipt_in_national_spelling_or_without_addresses_matches(engine: FreshStore, steps: Steps) -> None:
    for key, addresses in (("a", ("0831234567", "Shop")), ("b", ("", ""))):
        message = steps.leaving()
        steps.settle(steps.answer(message, key))
        steps.settle(ReceiptFact(engine.carrier_id, Receipt(key, S.DELIVERED, addresses), steps.now_ms))
        assert steps.state(message) is S.DELIVERED


def test_an_answer_for_a_message_that_is_not_there_is_harmless(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving()
    steps.settle(steps.answer(MessageId(1), "x"), steps.answer(message, "a"))
    assert steps.state(message) is S.SUBMITTED


# Long messages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_long_message_is_delivered_with_its_last_segment(steps: Steps, order: tuple[int, ...]) -> None:
    message = steps.leaving(segments=3)
    entered = steps.settle(*(steps.answer(message, str(segment), segment) for segment in range(3))).entered
    assert entered == [S.SUBMITTED]
    for segment in order[:2]:
        assert steps.settle(*[steps.receipt(str(segment))] * 2).entered == []
    assert steps.settle(steps.receipt(str(order[2]))).entered == [S.DELIVERED]
    assert steps.standing(message)[3:7] == (3, 3, 3, Charge.CAPTURED)


def _facts_of_three(steps: Steps, message: MessageId, ends: tuple[S, S, S]) -> list[SegmentFact | ReceiptFact]:
    answers = [steps.answer(message, str(segment), segment) for segment in range(3)]
    return [*answers, *(steps.receipt(str(segment), end) for segment, end in enumerate(ends))]


@pytest.mark.parametrize("ends", [(S.DELIVERED,) * 3, (S.DELIVERED, S.UNDELIVERED, S.DELIVERED)])
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_a_long_messages_facts_may_be_mixed(
    engine: FreshStore, steps: Steps, ends: tuple[S, S, S], is_one_batch: bool
) -> None:
    for order in list(permutations(range(6)))[::37]:
        engine.writing(lambda connection: connection.exec_driver_sql("delete from receipt_map"))
        message = steps.leaving(segments=3, price=1)
        facts = _facts_of_three(steps, message, ends)
        mixed = [facts[place] for place in order]
        for batch in [mixed] if is_one_batch else [[fact] for fact in mixed]:
            steps.settle(*batch)
        standing = steps.standing(message)
        good = S.UNDELIVERED not in ends
        assert standing.state == (S.DELIVERED if good else S.UNDELIVERED), order
        assert standing.accepted == 3
        assert standing.charge == Charge.CAPTURED
        assert steps.events(message).count(S(standing.state)) == 1


def test_one_undelivered_segment_ends_a_long_message(steps: Steps) -> None:
    message = steps.leaving(segments=3)
    steps.settle(*(steps.answer(message, str(segment), segment) for segment in range(3)))
    entered = [
        steps.settle(steps.receipt(str(segment), end)).entered
        for segment, end in enumerate((S.DELIVERED, S.UNDELIVERED, S.DELIVERED))
    ]
    assert entered == [[], [S.UNDELIVERED], []]
    assert steps.standing(message).reason == Reason.NOT_DELIVERED.number


def test_a_long_message_is_charged_with_its_first_segment(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving(segments=3, price=3 * CREDIT)
    steps.settle(steps.answer(message, "0", 0))
    assert steps.standing(message)[2:7] == (S.SUBMITTING, 3, 1, 0, Charge.CAPTURED)
    assert engine.balance() == Balance(GRANT - 3 * CREDIT, 0, 3 * CREDIT)
    steps.settle(steps.answer(message, "1", 1), steps.answer(message, "2", 2))
    assert engine.balance() == Balance(GRANT - 3 * CREDIT, 0, 3 * CREDIT)


def test_a_repeated_receipt_of_one_segment_does_not_stand_for_another_after_the_end_was_unknown(steps: Steps) -> None:
    message = steps.leaving(segments=3)
    steps.settle(*(steps.answer(message, str(segment), segment) for segment in range(3)), steps.receipt("0"))
    steps.settle(steps.outcome(message, Ended(S.UNKNOWN, Reason.NO_RECEIPT), -1))
    steps.settle(*[steps.receipt("0")] * 5)
    assert steps.state(message) is S.UNKNOWN
    steps.settle(steps.receipt("1"), steps.receipt("2"))
    assert steps.state(message) is S.DELIVERED


def test_a_bad_receipt_of_one_segment_counts_while_the_others_are_to_be_tried_again(
    engine: FreshStore, steps: Steps
) -> None:
    message = steps.leaving(segments=2)
    steps.settle(steps.answer(message, "0", 0), steps.outcome(message, Requeued(engine.carrier_id, True, 0), 1))
    steps.settle(steps.receipt("0", S.UNDELIVERED))
    steps.mark([message])
    steps.settle(steps.answer(message, "1", 1), steps.receipt("1"))
    assert steps.state(message) is S.UNDELIVERED


# Requeue and ends ------------------------------------------------------------------------------------------------


def test_a_message_for_at_once_goes_back_to_memory(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving()
    steps.settle(steps.outcome(message, Requeued(engine.carrier_id, True, 0), kind=OutcomeKind.DEFERRED))
    assert engine.rows("select state, owner, attempts from message") == [(S.QUEUED, 7, 1)]
    assert steps.count("ready") == 0
    assert engine.rows("select outcome from attempt") == [(OutcomeKind.DEFERRED,)]
    assert steps.events(message) == []


def test_a_message_for_later_waits_in_the_store(engine: FreshStore, steps: Steps) -> None:
    message, other = steps.leaving(), steps.leaving()
    due_ms = steps.now_ms + 10
    steps.settle(steps.outcome(message, Requeued(engine.carrier_id, False, due_ms)), steps.answer(other, "a"))
    assert engine.rows("select state, owner, attempts from message order by id") == [
        (S.QUEUED, 0, 0),
        (S.SUBMITTED, 7, 0),
    ]
    assert engine.rows("select due_at_ms, account_id, message_id from ready") == [(due_ms, engine.account_id, message)]
    assert engine.balance() == Balance(GRANT - 2 * CREDIT, CREDIT, CREDIT)


def test_a_try_of_the_same_millisecond_does_not_hide_what_the_carrier_has(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving(segments=2)
    again = steps.outcome(message, Requeued(engine.carrier_id, True, 0), kind=OutcomeKind.DEFERRED)
    steps.settle(again)
    steps.mark([message])
    steps.settle(steps.answer(message, "0", 0)._replace(at_ms=again.at_ms))
    # What the carrier has is read from here when the message is claimed again.
    assert ("id-0",) in engine.rows("select carrier_message_id from attempt")


def test_the_next_carrier_counts_tries_anew(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving()
    for _ in range(2):
        steps.settle(steps.outcome(message, Requeued(engine.carrier_id, True, 0)))
        steps.mark([message])
    assert steps.standing(message).attempts == 2
    steps.settle(steps.outcome(message, Requeued(engine.other_carrier_id, True, 0)))
    assert steps.standing(message)[7:9] == (0, engine.other_carrier_id)


def test_a_message_that_has_ended_does_not_come_back(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving()
    steps.settle(steps.outcome(message, Ended(S.REJECTED, Reason.CARRIER_REFUSED)))
    steps.settle(steps.outcome(message, Requeued(engine.carrier_id, True, steps.now_ms + 1)))
    assert steps.state(message) is S.REJECTED
    assert steps.count("ready") == 0


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (S.REJECTED, Reason.CARRIER_REFUSED),
        (S.FAILED, Reason.RETRIES_EXHAUSTED),
        (S.EXPIRED, Reason.VALIDITY_PASSED),
        (S.CANCELLED, Reason.CANCELLED),
    ],
)
def test_a_bad_end_gives_the_credits_back(engine: FreshStore, steps: Steps, state: S, reason: Reason) -> None:
    message = steps.leaving()
    assert steps.settle(steps.outcome(message, Ended(state, reason))).entered == [state]
    assert steps.standing(message)[2:10] == (state, 1, 0, 0, Charge.RELEASED, 0, engine.carrier_id, reason.number)
    assert engine.balance() == Balance(GRANT, 0, 0)
    assert engine.rows("select kind, amount from posting where kind = ?", PostingKind.RELEASE) == [
        (PostingKind.RELEASE, CREDIT)
    ]


def test_a_long_message_that_fails_after_a_segment_left_is_charged(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving(segments=2)
    steps.settle(steps.answer(message, "0", 0), steps.outcome(message, Ended(S.REJECTED, Reason.CARRIER_REFUSED), 1))
    assert steps.standing(message).charge == Charge.CAPTURED
    assert engine.balance().captured == CREDIT


def test_money_of_a_batch_is_added_up(engine: FreshStore, steps: Steps) -> None:
    messages = [steps.leaving() for _ in range(4)]
    steps.settle(
        *(steps.answer(message, str(message)) for message in messages[:3]),
        steps.outcome(messages[3], Ended(S.FAILED, Reason.RETRIES_EXHAUSTED)),
    )
    moved = engine.rows("select kind, amount from posting where kind in (3, 4) order by kind")
    assert moved == [(PostingKind.CAPTURE, 3 * CREDIT), (PostingKind.RELEASE, CREDIT)]
    assert engine.balance() == Balance(GRANT - 3 * CREDIT, 0, 3 * CREDIT)


# Telling ---------------------------------------------------------------------------------------------------------


def test_only_what_webhooks_want_to_hear_goes_to_the_outbox(engine: FreshStore, steps: Steps) -> None:
    account = engine.account_id
    steps.audience = Audience(
        {(account, S.DELIVERED): (WebhookId(1), WebhookId(2)), (account, S.FAILED): (WebhookId(2),)}
    )
    message = steps.leaving()
    assert steps.settle(steps.answer(message, "a")).told == []
    at_ms = steps.now_ms
    submission = steps.submission_of(message)
    event = Event(account, message, S.DELIVERED, at_ms, RECIPIENT, None, SENDER, submission, "delivered")
    assert steps.settle(steps.receipt("a")).told == [Told(WebhookId(1), event), Told(WebhookId(2), event)]
    assert engine.rows("select * from outbox order by webhook_id") == [
        (webhook, account, message, S.DELIVERED, at_ms) for webhook in (1, 2)
    ]


def test_each_request_of_a_batch_is_told_its_own(engine: FreshStore, steps: Steps) -> None:
    first, second = steps.leaving(), steps.leaving()
    audience = Audience({(engine.account_id, S.SUBMITTED): (WebhookId(1),)})
    requests = [
        SettleRequest([steps.answer(first, "a")], audience),
        SettleRequest([steps.answer(second, "b")], NOBODY),
    ]
    results = engine.together(SETTLE, requests)
    told = [[each.event.message_id for each in result.told] for result in results if not isinstance(result, Exception)]
    assert told == [[first], []]
    assert steps.count("outbox") == 1


# Batches ---------------------------------------------------------------------------------------------------------


def _impossible(fact: SegmentFact) -> SegmentFact:
    """A fact that no statement can store."""
    return fact._replace(at_ms=None)  # type: ignore[arg-type]


def test_a_request_that_cannot_be_stored_fails_alone(engine: FreshStore, steps: Steps) -> None:
    messages = [steps.leaving() for _ in range(9)]
    answers = [steps.answer(message, str(message)) for message in messages]
    answers[4] = _impossible(answers[4])
    results = engine.together(SETTLE, [SettleRequest([answer], NOBODY) for answer in answers])
    assert [isinstance(result, Exception) for result in results] == [place == 4 for place in range(9)]
    states = [steps.state(message) for message in messages]
    assert states == [S.SUBMITTING if place == 4 else S.SUBMITTED for place in range(9)]


def test_a_fact_that_cannot_be_stored_fails_alone_in_its_request(engine: FreshStore, steps: Steps) -> None:
    messages = [steps.leaving() for _ in range(5)]
    answers = [steps.answer(message, str(message)) for message in messages]
    answers[2] = _impossible(answers[2])
    settled = steps.settle(*answers)
    assert settled.entered == [S.SUBMITTED] * 4
    assert {key[1] for key in settled.states} == set(messages) - {messages[2]}
    states = [steps.state(message) for message in messages]
    assert states == [S.SUBMITTING if place == 2 else S.SUBMITTED for place in range(5)]


def test_a_request_of_which_nothing_can_be_stored_fails(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving()
    (result,) = engine.together(SETTLE, [SettleRequest([_impossible(steps.answer(message, "a"))] * 3, NOBODY)])
    assert isinstance(result, Exception)


@pytest.mark.parametrize("is_answer_first", [True, False])
def test_a_thousand_messages(engine: FreshStore, steps: Steps, is_answer_first: bool) -> None:
    messages = steps.accept(1_000, price=1)
    steps.mark(messages)
    batches: list[list[SegmentFact | ReceiptFact]] = [
        [steps.answer(message, f"{message:x}") for message in messages],
        [steps.receipt(f"{message:x}") for message in messages],
    ]
    for batch in batches if is_answer_first else reversed(batches):
        steps.settle(*batch)
    assert engine.rows("select state, charge, count(*) from message group by 1, 2") == [
        (S.DELIVERED, Charge.CAPTURED, 1_000)
    ]
    assert steps.count("event") == 2_000
    assert engine.balance() == Balance(GRANT - 1_000, 0, 1_000)
