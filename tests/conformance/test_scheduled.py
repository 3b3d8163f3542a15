"""Scheduled messages: nobody's until their time, queued by the claim, given up when they are cancelled."""

from heliograph.core.ids import MessageId
from heliograph.core.messages import NO_TRAITS, Traits
from heliograph.core.money import CREDIT
from heliograph.core.reasons import Reason
from heliograph.core.standing import Ended, apply
from heliograph.core.states import MessageState
from heliograph.store import messages, numbers
from heliograph.store.hops.accept import ACCEPT, NewBody
from heliograph.store.hops.claim import CLAIM, RECOVER, SUSPENDED_MS, Claimed, ClaimRequest, RecoverRequest
from heliograph.testing.stores import FreshStore
from tests.conformance.steps import OWNER, RECIPIENT, SENDER, Steps

LATER_MS = 90_000


def schedule(engine: FreshStore, steps: Steps, count: int = 1, *, sender: str = SENDER) -> list[MessageId]:
    request = steps.request([RECIPIENT] * count, waits=True)
    at_ms = steps.now_ms + LATER_MS
    engine.do(ACCEPT, request._replace(send_at_ms=at_ms, sender=sender))
    return [message.message_id for message in request.messages]


def claim(engine: FreshStore, steps: Steps, most: int = 10) -> list[Claimed]:
    return engine.do(CLAIM, ClaimRequest(OWNER, steps.now_ms, most)).messages


def suspend(engine: FreshStore, is_suspended: bool) -> None:
    engine.execute("update account set is_suspended = ? where id = ?", is_suspended, engine.account_id)


def test_its_time_makes_a_scheduled_message_queued_and_somebodys(engine: FreshStore, steps: Steps) -> None:
    (scheduled,) = schedule(engine, steps)
    steps.now_ms += LATER_MS - 1
    assert claim(engine, steps) == []
    assert steps.mark([scheduled]) == set()
    steps.now_ms += 1
    (claimed,) = claim(engine, steps)
    assert (claimed.message_id, claimed.was_scheduled, claimed.traits) == (scheduled, True, NO_TRAITS)
    assert engine.rows("select state, owner from message") == [(MessageState.QUEUED, OWNER)]
    assert (steps.count("ready"), steps.count("event")) == (0, 0)
    assert claim(engine, steps) == []
    assert steps.mark([scheduled]) == {scheduled}


def test_what_was_claimed_and_lost_is_recovered_as_queued(engine: FreshStore, steps: Steps) -> None:
    schedule(engine, steps)
    steps.now_ms += LATER_MS
    claim(engine, steps)
    recovered = engine.do(RECOVER, RecoverRequest(OWNER + 1, engine.account_id, 0, steps.now_ms, 10))
    assert recovered.put_back == 1
    (claimed,) = claim(engine, steps)
    assert not claimed.was_scheduled


def test_what_waits_for_its_time_is_nobodys_to_recover(engine: FreshStore, steps: Steps) -> None:
    (scheduled,) = schedule(engine, steps)
    recovered = engine.do(RECOVER, RecoverRequest(OWNER + 1, engine.account_id, 0, steps.now_ms, 10))
    assert (recovered.put_back, recovered.in_doubt) == (0, [])
    assert steps.state(scheduled) is MessageState.SCHEDULED


def test_traits_come_back_with_the_claim(engine: FreshStore, steps: Steps) -> None:
    request = steps.request([RECIPIENT], waits=True)
    body = NewBody(request.bodies[0].submission_id, "Ciao", '{"language":"it-it","gender":"female","send_at_ms":7}')
    engine.do(ACCEPT, request._replace(bodies=[body]))
    (claimed,) = claim(engine, steps)
    assert claimed.traits == Traits(language="it-it", gender="female")


def test_a_suspended_account_waits_and_nobody_else(engine: FreshStore, steps: Steps) -> None:
    (scheduled,) = schedule(engine, steps)
    request = steps.request([RECIPIENT], waits=True)
    waiting = request.messages[0].message_id
    engine.do(ACCEPT, request)
    suspend(engine, True)
    steps.now_ms += LATER_MS
    claims = engine.do(CLAIM, ClaimRequest(OWNER, steps.now_ms, 2))
    # What was accepted to be sent at once is on its way, whatever became of the account.
    assert ([each.message_id for each in claims.messages], claims.looked) == ([waiting], 2)
    assert engine.rows("select due_at_ms, message_id from ready") == [(steps.now_ms + SUSPENDED_MS, scheduled)]
    assert engine.rows("select state, owner from message where id = ?", scheduled) == [(MessageState.SCHEDULED, 0)]
    suspend(engine, False)
    steps.now_ms += SUSPENDED_MS
    assert [each.message_id for each in claim(engine, steps)] == [scheduled]


def test_a_suspended_account_does_not_wait_beyond_the_validity(engine: FreshStore, steps: Steps) -> None:
    (scheduled,) = schedule(engine, steps)
    suspend(engine, True)
    ((expires_at_ms,),) = engine.rows("select expires_at_ms from message")
    steps.now_ms = int(str(expires_at_ms))
    # It is claimed to be ended: nothing whose validity has passed is marked.
    assert [each.message_id for each in claim(engine, steps)] == [scheduled]
    assert steps.mark([scheduled]) == set()


def test_whoever_is_written_to_at_last_may_answer(engine: FreshStore, steps: Steps) -> None:
    schedule(engine, steps, sender="27600")
    schedule(engine, steps, sender="Acme")
    schedule(engine, steps, sender="27820000009")
    schedule(engine, steps, sender="12345")
    for msisdn in ("+27820000009", "12345"):
        values: dict[str, object] = {}
        engine.writing(
            lambda connection, msisdn=msisdn, values=values: numbers.add(  # type: ignore[misc]
                connection, msisdn, account_id=engine.account_id, values=values, now_ms=1
            )
        )
    assert steps.count("conversation") == 0
    steps.now_ms += LATER_MS
    assert len(claim(engine, steps)) == 4
    assert engine.rows("select sender, recipient, account_id, at_ms from conversation") == [
        ("27600", RECIPIENT[1:], engine.account_id, steps.now_ms)
    ]


def cancel(engine: FreshStore, steps: Steps, message_id: MessageId) -> bool:
    async def work(connection: object) -> bool:
        before = await messages.standing_of(connection, engine.account_id, message_id=message_id)  # type: ignore[arg-type]
        assert before is not None
        after = apply(before, Ended(MessageState.CANCELLED, Reason.CANCELLED))
        return await messages.settle(connection, before, after=after, told=(), detail="", now_ms=steps.now_ms)  # type: ignore[arg-type]

    return engine.writing(work)


def test_a_cancelled_message_is_claimed_no_more(engine: FreshStore, steps: Steps) -> None:
    cancelled, other = schedule(engine, steps, 2)
    assert cancel(engine, steps, cancelled)
    assert engine.balance().held == CREDIT
    steps.now_ms += LATER_MS
    assert [each.message_id for each in claim(engine, steps)] == [other]
    assert steps.state(cancelled) is MessageState.CANCELLED
    assert steps.count("ready") == 0


def test_the_carrier_of_a_marked_message_is_the_one_that_gets_it(engine: FreshStore, steps: Steps) -> None:
    (message,) = steps.accept()
    engine.execute("update message set carrier_id = 99")
    steps.mark([message])
    assert engine.rows("select carrier_id from message") == [(engine.carrier_id,)]


def test_a_thousand_are_claimed_in_pages_whatever_became_of_them(engine: FreshStore, steps: Steps) -> None:
    scheduled = schedule(engine, steps, 30)
    for message_id in scheduled[:10]:
        cancel(engine, steps, message_id)
    steps.now_ms += LATER_MS
    claims = [engine.do(CLAIM, ClaimRequest(OWNER, steps.now_ms, 15)) for _ in range(3)]
    assert [each.looked for each in claims] == [15, 15, 0]
    assert sorted(each.message_id for each in claims[0].messages + claims[1].messages) == scheduled[10:]
