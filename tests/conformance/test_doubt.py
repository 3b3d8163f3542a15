"""Doubt: a message whose fate nobody knows is held until an answer, the one receipt about it, or a person tells."""

import pytest

from heliograph.core.ids import MessageId
from heliograph.core.ledger import Balance, PostingKind
from heliograph.core.money import CREDIT
from heliograph.core.reasons import Reason
from heliograph.core.receipts import Receipt
from heliograph.core.settling import OutcomeKind, ReceiptFact
from heliograph.core.standing import Doubted, Ended, Requeued
from heliograph.core.states import Charge, MessageState
from heliograph.testing.stores import GRANT, FreshStore
from tests.conformance.steps import RECIPIENT, SENDER, Steps

OTHER = "+27831230000"
S = MessageState
BAD_ENDS = (S.UNDELIVERED, S.EXPIRED, S.REJECTED)

pytestmark = pytest.mark.usefixtures("sound_books")


def _map(engine: FreshStore) -> list[tuple[object, ...]]:
    return engine.rows("select match_key, message_id, segment, state, is_settled from receipt_map order by match_key")


def _held(steps: Steps, *, recipient: str = RECIPIENT) -> MessageId:
    message = steps.leaving(recipient=recipient)
    settled = steps.settle(steps.outcome(message, Doubted(), kind=OutcomeKind.AMBIGUOUS))
    assert settled.entered == [S.HELD]
    return message


def test_a_message_in_doubt_is_held_and_stays_unpaid(engine: FreshStore, steps: Steps) -> None:
    marked_ms = steps.now_ms
    message = steps.leaving()
    steps.now_ms += 100
    steps.settle(steps.outcome(message, Doubted(), kind=OutcomeKind.AMBIGUOUS))
    assert steps.standing(message)[2:10] == (
        S.HELD, 1, 0, 0, Charge.HELD, 0, engine.carrier_id, Reason.IN_DOUBT.number,
    )  # fmt: skip
    assert engine.rows("select * from doubt") == [
        (engine.carrier_id, RECIPIENT, engine.account_id, message, 0, SENDER, marked_ms)
    ]
    assert engine.balance() == Balance(GRANT - CREDIT, CREDIT, 0)


@pytest.mark.parametrize("end", [S.DELIVERED, *BAD_ENDS])
def test_a_stray_receipt_settles_the_only_doubt_it_fits(engine: FreshStore, steps: Steps, end: S) -> None:
    message, other = _held(steps), _held(steps, recipient=OTHER)
    steps.settle(steps.receipt("stray", end))
    assert steps.events(message) == [S.HELD, end]
    assert steps.standing(message)[2:7] == (end, 1, 1, int(end is S.DELIVERED), Charge.CAPTURED)
    assert steps.state(other) is S.HELD
    assert engine.rows("select message_id from doubt") == [(other,)]
    assert _map(engine) == [("stray", message, 0, end, 1)]
    steps.settle(steps.receipt("stray", end), steps.receipt("stray", S.UNKNOWN))
    assert steps.state(message) is end


def test_a_stray_receipt_that_fits_two_doubts_settles_none(engine: FreshStore, steps: Steps) -> None:
    messages = [_held(steps), _held(steps)]
    assert steps.settle(steps.receipt("stray")).entered == []
    assert [steps.state(message) for message in messages] == [S.HELD, S.HELD]
    assert _map(engine) == [("stray", None, None, S.DELIVERED, 0)]


@pytest.mark.parametrize(
    "addresses",
    [("27820000001", "27831230000"), ("27820000009", "27831234567"), ("", "")],
    ids=["another recipient", "another sender", "no addresses"],
)
def test_a_stray_receipt_that_does_not_fit_is_parked(
    engine: FreshStore, steps: Steps, addresses: tuple[str, str]
) -> None:
    message = _held(steps)
    steps.settle(ReceiptFact(engine.carrier_id, Receipt("stray", S.DELIVERED, addresses), steps.now_ms))
    assert steps.state(message) is S.HELD
    assert _map(engine) == [("stray", None, None, S.DELIVERED, 0)]


def test_a_stray_receipt_of_another_carrier_or_from_before_is_not_about_a_doubt(
    engine: FreshStore, steps: Steps
) -> None:
    before = steps.receipt("before")._replace(at_ms=steps.now_ms - 1)
    message = _held(steps)
    steps.settle(steps.receipt("stray", carrier_id=engine.other_carrier_id), before)
    assert steps.state(message) is S.HELD


def test_two_strays_of_one_batch_settle_one_doubt(steps: Steps) -> None:
    message = _held(steps)
    steps.settle(steps.receipt("one"), steps.receipt("two", S.UNDELIVERED))
    assert steps.state(message) is S.DELIVERED
    assert steps.count("doubt") == 0


def test_a_stray_report_on_the_way_settles_no_doubt(steps: Steps) -> None:
    message = _held(steps)
    steps.settle(steps.receipt("stray", None))
    assert steps.state(message) is S.HELD
    steps.settle(steps.receipt("stray"))
    assert steps.state(message) is S.DELIVERED


def test_a_stray_report_on_the_way_and_the_end_in_one_batch(steps: Steps) -> None:
    message = _held(steps)
    steps.settle(steps.receipt("stray", None), steps.receipt("stray"))
    assert steps.standing(message)[2:7] == (S.DELIVERED, 1, 1, 1, Charge.CAPTURED)


def test_the_answer_that_comes_after_all_ends_the_doubt(engine: FreshStore, steps: Steps) -> None:
    message = _held(steps)
    steps.settle(steps.answer(message, "a"))
    assert steps.standing(message)[2:7] == (S.SUBMITTED, 1, 1, 0, Charge.CAPTURED)
    assert steps.standing(message).reason == 0
    assert steps.count("doubt") == 0
    steps.settle(steps.receipt("a"))
    assert steps.state(message) is S.DELIVERED


def test_a_held_message_that_is_resolved_has_no_doubt_left(engine: FreshStore, steps: Steps) -> None:
    requeued, ended = _held(steps), _held(steps)
    steps.settle(
        steps.outcome(requeued, Requeued(engine.carrier_id, True, 0)),
        steps.outcome(ended, Ended(S.UNKNOWN, Reason.NO_RECEIPT), -1),
    )
    assert steps.count("doubt") == 0
    assert (steps.state(requeued), steps.state(ended)) == (S.QUEUED, S.UNKNOWN)
    assert engine.balance() == Balance(GRANT - CREDIT, CREDIT, 0)


def test_credits_given_back_are_taken_again_when_the_unknown_end_was_good(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving(segments=2)
    steps.settle(steps.outcome(message, Doubted(), 0), steps.outcome(message, Ended(S.UNKNOWN, Reason.NO_RECEIPT), -1))
    assert engine.balance() == Balance(GRANT, 0, 0)
    steps.settle(steps.answer(message, "0", 0), steps.answer(message, "1", 1))
    steps.settle(steps.receipt("0"), steps.receipt("1"))
    assert steps.standing(message)[2:7] == (S.DELIVERED, 2, 2, 2, Charge.CAPTURED)
    assert engine.balance() == Balance(GRANT - CREDIT, 0, CREDIT)
    amounts = engine.rows("select kind, sum(amount) from posting where kind > 1 group by kind order by kind")
    assert amounts == [
        (PostingKind.HOLD, 2 * CREDIT),
        (PostingKind.CAPTURE, CREDIT),
        (PostingKind.RELEASE, CREDIT),
    ]


def test_two_segments_of_a_message_can_be_in_doubt(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving(segments=3)
    steps.settle(
        steps.answer(message, "0", 0), steps.outcome(message, Doubted(), 1), steps.outcome(message, Doubted(), 2)
    )
    assert engine.rows("select segment from doubt order by segment") == [(1,), (2,)]
    assert steps.events(message) == [S.HELD]
    steps.settle(steps.answer(message, "1", 1))
    assert steps.standing(message)[2:5] == (S.HELD, 3, 2)
    steps.settle(steps.answer(message, "2", 2))
    assert steps.state(message) is S.SUBMITTED


def test_a_stray_receipt_settles_the_one_segment_in_doubt(steps: Steps) -> None:
    message = steps.leaving(segments=2)
    steps.settle(steps.answer(message, "0", 0), steps.outcome(message, Doubted(), 1))
    steps.settle(steps.receipt("stray"))
    assert steps.standing(message)[2:6] == (S.SUBMITTED, 2, 2, 1)
    steps.settle(steps.receipt("0"))
    assert steps.state(message) is S.DELIVERED


def test_the_receipt_of_a_taken_segment_says_nothing_of_the_one_in_doubt(steps: Steps) -> None:
    message = steps.leaving(segments=2)
    steps.settle(steps.answer(message, "0", 0), steps.outcome(message, Doubted(), 1))
    steps.settle(steps.receipt("0"))
    assert steps.standing(message)[2:6] == (S.HELD, 2, 1, 1)
    assert steps.count("doubt") == 1
    steps.settle(steps.receipt("stray"))
    assert steps.state(message) is S.DELIVERED


def test_a_message_held_and_ended_in_one_batch_leaves_no_doubt(steps: Steps) -> None:
    message = steps.leaving(segments=2)
    steps.settle(steps.answer(message, "0", 0), steps.outcome(message, Doubted(), 1), steps.receipt("0", S.UNDELIVERED))
    assert steps.state(message) is S.UNDELIVERED
    assert steps.count("doubt") == 0
