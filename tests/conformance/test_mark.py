"""The mark: only what is queued, ours and still valid may leave, and only once."""

from heliograph.core.ids import MessageId
from heliograph.core.reasons import Reason
from heliograph.core.standing import Ended, Requeued
from heliograph.core.states import MessageState
from heliograph.store.hops.accept import ACCEPT
from heliograph.store.hops.mark import MARK, MarkRequest
from heliograph.testing.stores import FreshStore
from tests.conformance.steps import OWNER, RECIPIENT, SESSION, VALID_MS, Steps


def test_marked_messages_are_being_submitted(engine: FreshStore, steps: Steps) -> None:
    messages = steps.accept(3)
    assert steps.mark(messages[:2]) == set(messages[:2])
    assert engine.rows("select state, session, marked_at_ms from message order by id") == [
        (MessageState.SUBMITTING, SESSION, steps.now_ms),
        (MessageState.SUBMITTING, SESSION, steps.now_ms),
        (MessageState.QUEUED, None, None),
    ]


def test_a_message_is_marked_once(steps: Steps) -> None:
    messages = steps.accept(2)
    assert steps.mark(messages) == set(messages)
    assert steps.mark(messages) == set()


def test_of_two_sessions_in_one_batch_the_first_gets_it(engine: FreshStore, steps: Steps) -> None:
    (message,) = steps.accept()
    keys = [(engine.account_id, message)]
    requests = [MarkRequest(OWNER, engine.carrier_id, session, keys, steps.now_ms) for session in (1, 2)]
    assert engine.together(MARK, requests) == [{message}, set()]
    assert engine.rows("select session from message") == [(1,)]


def test_a_message_named_twice_is_marked_once(steps: Steps) -> None:
    (message,) = steps.accept()
    assert steps.mark([message, message]) == {message}


def test_another_owners_message_stays(steps: Steps) -> None:
    messages = steps.accept()
    assert steps.mark(messages, owner=OWNER + 1) == set()
    assert steps.state(messages[0]) is MessageState.QUEUED


def test_a_waiting_message_stays(engine: FreshStore, steps: Steps) -> None:
    request = steps.request([RECIPIENT], waits=True)
    engine.do(ACCEPT, request)
    assert steps.mark([request.messages[0].message_id]) == set()


def test_a_message_past_its_validity_stays(steps: Steps) -> None:
    early, late = steps.accept(2)
    steps.now_ms += VALID_MS - 1
    assert steps.mark([early]) == {early}
    steps.now_ms += 1
    assert steps.mark([late]) == set()


def test_a_cancelled_message_stays(steps: Steps) -> None:
    cancelled, other = steps.accept(2)
    steps.settle(steps.outcome(cancelled, Ended(MessageState.CANCELLED, Reason.CANCELLED), -1))
    assert steps.mark([cancelled, other]) == {other}


def test_a_message_of_another_account_is_not_meant(engine: FreshStore, steps: Steps) -> None:
    other = engine.add_account("other", 1)
    messages = steps.accept()
    assert (
        engine.do(MARK, MarkRequest(OWNER, engine.carrier_id, SESSION, [(other, messages[0])], steps.now_ms)) == set()
    )


def test_an_unknown_message_is_not_marked(steps: Steps) -> None:
    assert steps.mark([MessageId(1)]) == set()


def test_a_message_that_came_back_is_marked_again(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving()
    steps.settle(steps.outcome(message, Requeued(engine.carrier_id, True, 0)))
    assert steps.mark([message]) == {message}


def test_a_thousand_messages(steps: Steps) -> None:
    messages = steps.accept(1_000, price=1)
    assert steps.mark(messages) == set(messages)
