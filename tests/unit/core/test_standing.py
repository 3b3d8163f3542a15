import pytest

from heliograph.core.reasons import Reason
from heliograph.core.standing import Doubted, Ended, Fact, Reported, Requeued, Standing, Taken, apply
from heliograph.core.states import Charge, MessageState
from tests.unit.core.samples import FIRST, SECOND, STANDING

S = MessageState
HELD, CAPTURED, RELEASED = Charge
DOUBTED = STANDING._replace(state=S.HELD, reason=Reason.IN_DOUBT.number)
SUBMITTED = STANDING._replace(state=S.SUBMITTED, accepted=1, charge=CAPTURED)
DELIVERED = SUBMITTED._replace(state=S.DELIVERED, delivered=1)
UNKNOWN = STANDING._replace(state=S.UNKNOWN, charge=RELEASED, reason=Reason.NO_RECEIPT.number)


def after(standing: Standing, *facts: Fact) -> Standing:
    for fact in facts:
        standing = apply(standing, fact)
    return standing


def of_segments(segments: int) -> Standing:
    return STANDING._replace(segments=segments)


def test_a_short_message_is_submitted_and_paid_when_taken() -> None:
    assert apply(STANDING, Taken()) == SUBMITTED


def test_a_long_message_is_paid_at_its_first_segment_and_submitted_at_its_last() -> None:
    first = apply(of_segments(2), Taken())
    assert (first.state, first.accepted, first.charge) == (S.SUBMITTING, 1, CAPTURED)
    second = apply(first, Taken())
    assert (second.state, second.accepted, second.charge) == (S.SUBMITTED, 2, CAPTURED)


def test_a_long_message_is_delivered_with_its_last_segment() -> None:
    facts = (Taken(), Taken(), Reported(S.DELIVERED))
    nearly = after(of_segments(2), *facts)
    assert (nearly.state, nearly.delivered) == (S.SUBMITTED, 1)
    assert after(nearly, Reported(S.DELIVERED)).state is S.DELIVERED


def test_one_bad_segment_is_the_end_of_a_long_message() -> None:
    ended = after(of_segments(2), Taken(), Taken(), Reported(S.DELIVERED), Reported(S.UNDELIVERED))
    assert (ended.state, ended.reason, ended.charge) == (S.UNDELIVERED, Reason.NOT_DELIVERED.number, CAPTURED)
    assert apply(ended, Reported(S.DELIVERED)) is ended


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (S.UNDELIVERED, Reason.NOT_DELIVERED),
        (S.EXPIRED, Reason.NOT_DELIVERED),
        (S.REJECTED, Reason.CARRIER_REFUSED),
        (S.UNKNOWN, Reason.NO_RECEIPT),
    ],
)
def test_a_bad_report_ends_with_its_reason_and_what_was_taken_stays_paid(state: S, reason: Reason) -> None:
    assert apply(SUBMITTED, Reported(state)) == SUBMITTED._replace(state=state, reason=reason.number)


def test_a_receipt_before_the_answer_is_delivered_and_paid_once() -> None:
    early = apply(STANDING, Reported(S.DELIVERED))
    assert (early.state, early.charge) == (S.DELIVERED, CAPTURED)
    assert apply(early, Taken()) == early._replace(accepted=1)


def test_what_was_never_taken_is_given_back() -> None:
    ended = apply(STANDING, Ended(S.REJECTED, Reason.CARRIER_REFUSED))
    assert (ended.state, ended.charge, ended.reason) == (S.REJECTED, RELEASED, Reason.CARRIER_REFUSED.number)


def test_a_long_message_that_ends_half_taken_stays_paid() -> None:
    ended = after(of_segments(2), Taken(), Ended(S.FAILED, Reason.RETRIES_EXHAUSTED))
    assert (ended.state, ended.charge, ended.accepted) == (S.FAILED, CAPTURED, 1)


def test_tries_are_counted_per_carrier() -> None:
    once = apply(STANDING, Requeued(FIRST, counts=True, due_ms=0))
    assert (once.state, once.attempts, once.carrier_id, once.charge) == (S.QUEUED, 1, FIRST, HELD)
    twice = apply(once._replace(state=S.SUBMITTING), Requeued(FIRST, counts=False, due_ms=9))
    assert (twice.attempts, twice.carrier_id) == (1, FIRST)
    moved = apply(twice._replace(state=S.SUBMITTING), Requeued(SECOND, counts=True, due_ms=0))
    assert (moved.attempts, moved.carrier_id) == (0, SECOND)


def test_several_segments_put_off_are_one_try() -> None:
    facts = [Requeued(FIRST, counts=True, due_ms=0)] * 3
    assert after(of_segments(3), *facts).attempts == 1


def test_doubt_holds_the_message_and_its_price() -> None:
    assert apply(STANDING, Doubted()) == DOUBTED
    assert DOUBTED.charge is HELD


def test_news_of_a_doubted_message_settles_the_doubt() -> None:
    assert apply(DOUBTED, Taken()) == SUBMITTED
    assert apply(DOUBTED, Reported(S.DELIVERED, taken=True)) == DELIVERED
    assert apply(DOUBTED, Reported(S.UNDELIVERED, taken=True)) == SUBMITTED._replace(
        state=S.UNDELIVERED, reason=Reason.NOT_DELIVERED.number
    )


def test_a_long_doubted_message_stays_in_doubt_until_every_segment_is_known() -> None:
    half = apply(DOUBTED._replace(segments=2), Reported(S.DELIVERED, taken=True))
    assert (half.state, half.reason, half.charge) == (S.HELD, Reason.IN_DOUBT.number, CAPTURED)
    assert apply(half, Reported(S.DELIVERED, taken=True))[2:7] == (S.DELIVERED, 2, 2, 2, CAPTURED)


def test_a_doubt_without_news_ends_unknown_and_gives_the_price_back() -> None:
    assert apply(DOUBTED, Ended(S.UNKNOWN, Reason.NO_RECEIPT)) == UNKNOWN


def test_late_good_news_of_an_unknown_message_is_paid_once() -> None:
    late = apply(UNKNOWN, Reported(S.DELIVERED))
    assert (late.state, late.charge, late.reason) == (S.DELIVERED, CAPTURED, 0)
    assert apply(late, Reported(S.DELIVERED)) is late


def test_late_bad_news_of_an_unknown_message_is_its_true_end() -> None:
    late = apply(UNKNOWN, Reported(S.UNDELIVERED))
    assert (late.state, late.charge) == (S.UNDELIVERED, RELEASED)


@pytest.mark.parametrize("fact", [Doubted(), Requeued(SECOND, counts=True, due_ms=1)])
@pytest.mark.parametrize("state", [S.QUEUED, S.SUBMITTED, S.DELIVERED, S.UNKNOWN])
def test_only_a_message_on_its_way_to_a_carrier_is_put_off_or_doubted(state: S, fact: Fact) -> None:
    standing = STANDING._replace(state=state)
    assert apply(standing, fact) is standing


def test_a_scheduled_message_that_is_due_joins_the_queue() -> None:
    due = apply(STANDING._replace(state=S.SCHEDULED), Requeued(FIRST, counts=False, due_ms=0))
    assert (due.state, due.attempts, due.charge) == (S.QUEUED, 0, HELD)


@pytest.mark.parametrize(
    "fact",
    [
        Reported(S.DELIVERED),
        Reported(S.UNDELIVERED),
        Ended(S.EXPIRED, Reason.VALIDITY_PASSED),
        Ended(S.CANCELLED, Reason.CANCELLED),
        Requeued(SECOND, counts=True, due_ms=0),
        Doubted(),
    ],
)
def test_a_delivered_message_hears_no_more(fact: Fact) -> None:
    assert apply(DELIVERED, fact) is DELIVERED
