import pytest

from heliograph.core.directory import Policy
from heliograph.core.messages import WHOLE, Message, Parcel
from heliograph.core.outcomes import Ambiguous, Deferred, Refused, SubmitOutcome, Submitted
from heliograph.core.reasons import Reason
from heliograph.core.retry import LONGEST_WAIT_MS, decide, next_carrier
from heliograph.core.standing import Doubted, Ended, Fact, Requeued, Taken
from heliograph.core.states import MessageState
from tests.unit.core.samples import FIRST, MESSAGE, SECOND, THIRD

NOW = 500_000
EXPIRED = Ended(MessageState.EXPIRED, Reason.VALIDITY_PASSED)
EXHAUSTED = Ended(MessageState.FAILED, Reason.RETRIES_EXHAUSTED)


def after(outcome: SubmitOutcome, *, policy: Policy = Policy.RESEND, now_ms: int = NOW) -> Fact:
    return decide(outcome, carrier_id=FIRST, policy=policy, now_ms=now_ms)


def deferred(message: Message = MESSAGE, *, after_ms: int = 1000, counts: bool = True, tries: int = 5) -> Deferred:
    return Deferred(Parcel(message, 0), after_ms=after_ms, counts=counts, status="58", tries=tries)


@pytest.mark.parametrize("policy", Policy)
def test_a_taken_segment_is_taken(policy: Policy) -> None:
    assert after(Submitted(Parcel(MESSAGE, 0), "b8be19"), policy=policy) == Taken()
    assert after(Submitted(Parcel(MESSAGE, 0), "b8be19"), policy=policy, now_ms=9_000_000) == Taken()


@pytest.mark.parametrize("reason", [Reason.CARRIER_REFUSED, Reason.INVALID_RECIPIENT])
def test_a_refusal_is_the_end_for_the_carriers_reason_and_no_other_carrier_is_asked(reason: Reason) -> None:
    assert after(Refused(Parcel(MESSAGE, 0), reason, "11")) == Ended(MessageState.REJECTED, reason)


def test_doubt_is_resent_at_once_and_counted_or_held() -> None:
    outcome = Ambiguous(Parcel(MESSAGE, 0), "the session ended")
    assert after(outcome, policy=Policy.RESEND) == Requeued(FIRST, counts=True, due_ms=0)
    assert after(outcome, policy=Policy.HOLD) == Doubted()


@pytest.mark.parametrize(("attempts", "wait_ms"), [(1, 1_000), (3, 4_000), (60, LONGEST_WAIT_MS)])
def test_doubt_again_and_again_waits_longer_each_time(attempts: int, wait_ms: int) -> None:
    message = MESSAGE._replace(attempts=attempts, expires_at_ms=2**50)
    outcome = Ambiguous(Parcel(message, 0), "the session ended")
    assert after(outcome, policy=Policy.RESEND) == Requeued(FIRST, counts=True, due_ms=NOW + wait_ms)


def test_what_was_taken_whole_is_all_of_it() -> None:
    assert after(Submitted(Parcel(MESSAGE, 0), "c1")) == Taken()
    assert after(Submitted(Parcel(MESSAGE, WHOLE), "c1")) == Taken(is_whole=True)


def test_doubt_past_validity_ends_under_resend_and_is_still_doubt_under_hold() -> None:
    outcome = Ambiguous(Parcel(MESSAGE, 0), "the session ended")
    assert after(outcome, policy=Policy.RESEND, now_ms=MESSAGE.expires_at_ms) == EXPIRED
    assert after(outcome, policy=Policy.HOLD, now_ms=MESSAGE.expires_at_ms) == Doubted()


@pytest.mark.parametrize("attempts", [0, 4, 1000])
def test_what_is_not_the_messages_fault_waits_as_long_as_said_and_counts_nothing(attempts: int) -> None:
    message = MESSAGE._replace(attempts=attempts)
    assert after(deferred(message, counts=False, tries=1)) == Requeued(FIRST, counts=False, due_ms=NOW + 1000)
    assert after(deferred(message, counts=False, after_ms=0)) == Requeued(FIRST, counts=False, due_ms=0)


def test_each_counted_try_waits_twice_as_long() -> None:
    messages = [MESSAGE._replace(attempts=attempts) for attempts in range(4)]
    assert [after(deferred(message)) for message in messages] == [
        Requeued(FIRST, counts=True, due_ms=NOW + wait_ms) for wait_ms in (1000, 2000, 4000, 8000)
    ]


@pytest.mark.parametrize("attempts", [11, 16, 1000])
def test_no_wait_that_grew_is_longer_than_half_an_hour(attempts: int) -> None:
    message = MESSAGE._replace(attempts=attempts, expires_at_ms=NOW + 10 * LONGEST_WAIT_MS)
    assert after(deferred(message, tries=2000)) == Requeued(FIRST, counts=True, due_ms=NOW + 30 * 60_000)


@pytest.mark.parametrize(("attempts", "tries"), [(4, 5), (0, 1), (7, 5)])
def test_when_the_tries_are_used_up_the_next_carrier_has_the_message_at_once(attempts: int, tries: int) -> None:
    message = MESSAGE._replace(attempts=attempts)
    assert after(deferred(message, tries=tries)) == Requeued(SECOND, counts=True, due_ms=0)


def test_the_last_try_but_one_stays_with_its_carrier() -> None:
    assert after(deferred(MESSAGE._replace(attempts=3))) == Requeued(FIRST, counts=True, due_ms=NOW + 8000)


def test_after_the_last_carrier_the_message_has_failed() -> None:
    assert after(deferred(MESSAGE._replace(attempts=4, plan=(FIRST,)))) == EXHAUSTED
    assert after(deferred(MESSAGE._replace(attempts=4, plan=(SECOND, FIRST)))) == EXHAUSTED


def test_a_long_message_of_which_a_segment_was_taken_never_changes_carrier() -> None:
    started = MESSAGE._replace(accepted=frozenset({0}))
    assert after(deferred(started)) == Requeued(FIRST, counts=True, due_ms=NOW + 1000)
    assert after(deferred(started._replace(attempts=4))) == EXHAUSTED


@pytest.mark.parametrize("counts", [True, False])
def test_a_try_that_would_come_after_validity_is_not_made(counts: bool) -> None:
    left_ms = MESSAGE.expires_at_ms - NOW
    assert after(deferred(after_ms=left_ms, counts=counts)) == EXPIRED
    assert after(deferred(after_ms=left_ms - 1, counts=counts)) == Requeued(
        FIRST, counts=counts, due_ms=MESSAGE.expires_at_ms - 1
    )


def test_the_next_carrier_is_not_asked_after_validity_either() -> None:
    outcome = deferred(MESSAGE._replace(attempts=4))
    assert after(outcome, now_ms=MESSAGE.expires_at_ms - 1) == Requeued(SECOND, counts=True, due_ms=0)
    assert after(outcome, now_ms=MESSAGE.expires_at_ms) == EXPIRED


def test_carriers_follow_each_other_as_planned() -> None:
    message = MESSAGE._replace(plan=(SECOND, FIRST, THIRD))
    assert [next_carrier(message, carrier) for carrier in (SECOND, FIRST, THIRD)] == [FIRST, THIRD, None]


def test_a_carrier_outside_the_plan_has_no_follower() -> None:
    assert next_carrier(MESSAGE, THIRD) is None
