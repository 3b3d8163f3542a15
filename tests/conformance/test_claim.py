"""Claim and recover: whoever takes a message has it alone, and nothing is left behind."""

from sqlalchemy import insert

from heliograph.core.ids import CarrierId, MessageId
from heliograph.core.messages import Channel
from heliograph.core.reasons import Reason
from heliograph.core.settling import OutcomeKind
from heliograph.core.standing import Ended, Requeued
from heliograph.core.states import MessageState
from heliograph.store import owners, ready, schema
from heliograph.store.hops.accept import ACCEPT
from heliograph.store.hops.claim import (
    CLAIM,
    RECOVER,
    RELEASE,
    Claimed,
    ClaimRequest,
    Claims,
    InDoubt,
    Recovered,
    RecoverRequest,
    ReleaseRequest,
)
from heliograph.testing.stores import FreshStore
from tests.conformance.steps import OWNER, RECIPIENT, SENDER, SESSION, VALID_MS, Steps

NEXT = OWNER + 1


def _waiting(engine: FreshStore, steps: Steps, count: int = 1) -> list[MessageId]:
    request = steps.request([RECIPIENT] * count, waits=True, price=1)
    engine.do(ACCEPT, request)
    return [message.message_id for message in request.messages]


def _claim(engine: FreshStore, steps: Steps, most: int = 10) -> list[MessageId]:
    claims = engine.do(CLAIM, ClaimRequest(OWNER, steps.now_ms, most))
    return [each.message_id for each in claims.messages]


def _recover(engine: FreshStore, steps: Steps, *, above: int = 0, most: int = 10) -> Recovered:
    return engine.do(RECOVER, RecoverRequest(NEXT, engine.account_id, above, steps.now_ms, most))


def test_a_claimed_message_comes_with_its_submission(engine: FreshStore, steps: Steps) -> None:
    request = steps.request([RECIPIENT], waits=True)
    engine.do(ACCEPT, request)
    message = request.messages[0]
    assert engine.do(CLAIM, ClaimRequest(OWNER, steps.now_ms, 10)).messages == [
        Claimed(
            engine.account_id,
            message.message_id,
            request.bodies[0].submission_id,
            RECIPIENT,
            engine.carrier_id,
            steps.now_ms + VALID_MS,
            0,
            0,
            Channel.SMS,
            SENDER,
            "Hello",
            frozenset(),
        )
    ]
    assert engine.rows("select owner, state from message") == [(OWNER, MessageState.QUEUED)]
    assert steps.count("ready") == 0


def test_a_message_is_claimed_once(engine: FreshStore, steps: Steps) -> None:
    messages = _waiting(engine, steps, 3)
    requests = [ClaimRequest(owner, steps.now_ms, 2) for owner in (OWNER, NEXT, OWNER)]
    first, second, third = engine.together(CLAIM, requests)
    assert isinstance(first, Claims)
    assert isinstance(second, Claims)
    assert [len(first.messages), len(second.messages), third] == [2, 1, Claims([], 0)]
    assert (first.looked, second.looked) == (2, 1)
    assert {each.message_id for each in first.messages + second.messages} == set(messages)
    owned = engine.rows("select id from message where owner = ?", NEXT)
    assert owned == [(second.messages[0].message_id,)]


def test_what_is_not_due_stays(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving()
    due_ms = steps.now_ms + 5_000
    steps.settle(steps.outcome(message, Requeued(engine.carrier_id, True, due_ms)))
    steps.now_ms = due_ms - 1
    assert _claim(engine, steps) == []
    steps.now_ms = due_ms
    (claimed,) = engine.do(CLAIM, ClaimRequest(NEXT, steps.now_ms, 10)).messages
    assert (claimed.message_id, claimed.attempts) == (message, 1)
    assert steps.mark([message], owner=OWNER) == set()
    assert steps.mark([message], owner=NEXT) == {message}


def test_the_longest_waiting_is_claimed_first(engine: FreshStore, steps: Steps) -> None:
    early = _waiting(engine, steps)
    steps.now_ms += 1
    late = _waiting(engine, steps)
    assert _claim(engine, steps, 1) == early
    assert _claim(engine, steps, 1) == late


def test_a_cancelled_message_is_not_claimed(engine: FreshStore, steps: Steps) -> None:
    cancelled, other = _waiting(engine, steps, 2)
    steps.settle(steps.outcome(cancelled, Ended(MessageState.CANCELLED, Reason.CANCELLED), -1))
    assert _claim(engine, steps) == [other]
    assert steps.count("ready") == 0


def test_a_message_that_memory_already_has_is_not_claimed(engine: FreshStore, steps: Steps) -> None:
    (message,) = steps.accept()
    stale = insert(schema.ready).values(due_at_ms=0, account_id=engine.account_id, message_id=message)
    engine.writing(lambda connection: connection.execute(stale))
    assert _claim(engine, steps) == []
    assert steps.count("ready") == 0
    assert steps.mark([message]) == {message}


def test_segments_that_the_carrier_has_are_named(engine: FreshStore, steps: Steps) -> None:
    whole = _waiting(engine, steps)
    message = steps.leaving(segments=3)
    steps.settle(
        steps.answer(message, "a", 0),
        steps.answer(message, "c", 2),
        steps.outcome(message, Requeued(engine.carrier_id, True, steps.now_ms), 1, kind=OutcomeKind.DEFERRED),
    )
    claimed = {each.message_id: each for each in engine.do(CLAIM, ClaimRequest(OWNER, steps.now_ms, 10)).messages}
    assert claimed[message].taken_segments == {0, 2}
    assert claimed[message].accepted == 2
    assert claimed[whole[0]].taken_segments == frozenset()


def test_a_thousand_are_claimed_in_pages(engine: FreshStore, steps: Steps) -> None:
    messages = _waiting(engine, steps, 1_500)
    first, second = _claim(engine, steps, 1_000), _claim(engine, steps, 1_000)
    assert (len(first), len(second)) == (1_000, 500)
    assert sorted(first + second) == messages
    assert first == sorted(first)


def test_how_many_wait_and_when_the_first_is_due(engine: FreshStore, steps: Steps) -> None:
    def count(before_ms: int, most: int = 10) -> int:
        return engine.reading(lambda connection: ready.count(connection, before_ms=before_ms, most=most))

    assert (count(steps.now_ms + 1), engine.reading(ready.next_due)) == (0, None)
    _waiting(engine, steps, 2)
    assert (count(steps.now_ms), count(steps.now_ms + 1), count(steps.now_ms + 1, 1)) == (0, 2, 1)
    assert engine.reading(ready.next_due) == steps.now_ms


# For several processes -------------------------------------------------------------------------------------------


def test_only_messages_of_the_carriers_asked_for_are_claimed(engine: FreshStore, steps: Steps) -> None:
    mine, others = _waiting(engine, steps, 2), _waiting(engine, steps)
    engine.execute("update ready set carrier_id = ? where message_id = ?", engine.other_carrier_id, others[0])
    request = ClaimRequest(OWNER, steps.now_ms, 10, (engine.carrier_id,))
    assert [each.message_id for each in engine.do(CLAIM, request).messages] == mine
    assert engine.do(CLAIM, request) == Claims([], 0)
    both = request._replace(carriers=(engine.carrier_id, engine.other_carrier_id))
    assert [each.message_id for each in engine.do(CLAIM, both).messages] == others


def test_when_messages_of_carriers_are_due(engine: FreshStore, steps: Steps) -> None:
    _waiting(engine, steps)

    def due(*carriers: CarrierId) -> int | None:
        return engine.reading(lambda connection: ready.next_due(connection, carriers))

    assert due(engine.carrier_id, engine.other_carrier_id) == steps.now_ms
    assert due(engine.other_carrier_id) is None
    assert due() is None
    assert engine.reading(ready.carriers) == [engine.carrier_id]


def test_what_is_released_waits_for_the_carrier_it_was_released_for(engine: FreshStore, steps: Steps) -> None:
    queued, left, cancelled = steps.accept(), steps.leaving(), steps.accept()
    steps.settle(steps.outcome(cancelled[0], Ended(MessageState.CANCELLED, Reason.CANCELLED)))
    keys = [(engine.account_id, each, engine.other_carrier_id) for each in (*queued, left, *cancelled)]
    for _ in range(2):
        engine.do(RELEASE, ReleaseRequest(OWNER, keys, steps.now_ms))
    assert engine.rows("select message_id, carrier_id from ready") == [(queued[0], engine.other_carrier_id)]
    assert steps.mark(queued) == set()
    (claimed,) = engine.do(CLAIM, ClaimRequest(NEXT, steps.now_ms, 10, (engine.other_carrier_id,))).messages
    assert (claimed.message_id, claimed.carrier_id) == (queued[0], engine.other_carrier_id)


def test_one_owner_of_several_is_recovered(engine: FreshStore, steps: Steps) -> None:
    queued, doubted = steps.accept(), steps.leaving()
    request = steps.request([RECIPIENT])
    living = [message._replace(owner=NEXT + 1) for message in request.messages]
    engine.do(ACCEPT, request._replace(messages=living))
    recover = RecoverRequest(NEXT, engine.account_id, 0, steps.now_ms, 10, OWNER)
    recovered = engine.do(RECOVER, recover)
    assert ([each.message_id for each in recovered.in_doubt], recovered.put_back) == ([doubted], 1)
    assert engine.do(RECOVER, recover) == Recovered([], 0, None)
    assert engine.rows("select message_id, carrier_id from ready") == [(queued[0], engine.carrier_id)]
    assert engine.rows("select id from message where owner = ?", NEXT + 1) == [(living[0].message_id,)]


# Recover ---------------------------------------------------------------------------------------------------------


def test_queued_messages_of_an_owner_that_is_gone_wait_to_be_claimed(engine: FreshStore, steps: Steps) -> None:
    messages = steps.accept(3)
    assert _recover(engine, steps) == Recovered([], 3, None)
    assert engine.rows("select distinct owner from message") == [(0,)]
    assert _claim(engine, steps) == messages
    assert _recover(engine, steps, above=messages[-1]) == Recovered([], 0, None)


def test_a_message_that_was_being_submitted_is_in_doubt(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving(segments=3)
    steps.settle(steps.answer(message, "b", 1))
    recovered = _recover(engine, steps)
    assert recovered == Recovered(
        [InDoubt(engine.account_id, message, RECIPIENT, engine.carrier_id, 3, SESSION, SENDER, frozenset({1}))], 0, None
    )
    assert engine.rows("select owner, state from message") == [(NEXT, MessageState.SUBMITTING)]


def test_recovery_leaves_alone_what_needs_none(engine: FreshStore, steps: Steps) -> None:
    waiting = _waiting(engine, steps)
    submitted, ended = steps.leaving(), steps.leaving()
    steps.settle(steps.answer(submitted, "a"), steps.answer(ended, "b"), steps.receipt("b"))
    request = steps.request([RECIPIENT])
    mine = request._replace(messages=[message._replace(owner=NEXT) for message in request.messages])
    engine.do(ACCEPT, mine)
    assert _recover(engine, steps) == Recovered([], 0, None)
    assert _claim(engine, steps) == waiting


def test_recovery_keeps_to_its_account(engine: FreshStore, steps: Steps) -> None:
    other = engine.add_account("other", 10)
    steps.accept()
    engine.do(ACCEPT, steps.request([RECIPIENT], account_id=other, price=1))
    assert _recover(engine, steps).put_back == 1
    assert engine.rows("select account_id from ready") == [(engine.account_id,)]


def test_recovery_goes_page_by_page(engine: FreshStore, steps: Steps) -> None:
    messages = steps.accept(5, price=1)
    steps.mark(messages[1:3])
    above: int | None = 0
    pages = []
    while above is not None:
        page = _recover(engine, steps, above=above, most=2)
        pages.append((page.put_back, [each.message_id for each in page.in_doubt]))
        above = page.go_on
    assert pages == [(1, [messages[1]]), (1, [messages[2]]), (1, [])]


def test_recovery_starts_above_the_low_water(engine: FreshStore, steps: Steps) -> None:
    messages = steps.accept(3, price=1)
    assert _recover(engine, steps, above=messages[0]).put_back == 2
    assert _claim(engine, steps) == messages[1:]


def test_a_recovery_that_was_cut_short_is_done_again(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving()
    _recover(engine, steps)
    later = engine.do(RECOVER, RecoverRequest(NEXT + 1, engine.account_id, 0, steps.now_ms, 10))
    assert [each.message_id for each in later.in_doubt] == [message]


def test_a_message_in_doubt_that_is_sent_again_waits_to_be_claimed(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving(segments=2)
    steps.settle(steps.answer(message, "0", 0))
    _recover(engine, steps)
    steps.settle(steps.outcome(message, Requeued(engine.carrier_id, True, steps.now_ms), 1, kind=OutcomeKind.AMBIGUOUS))
    (claimed,) = engine.do(CLAIM, ClaimRequest(NEXT, steps.now_ms, 10)).messages
    assert (claimed.message_id, claimed.attempts, claimed.taken_segments) == (message, 1, frozenset({0}))
    assert steps.mark([message], owner=NEXT) == {message}


# Owners ----------------------------------------------------------------------------------------------------------


def test_every_owner_has_a_higher_number_and_the_lowest_water_counts(engine: FreshStore, steps: Steps) -> None:
    assert engine.reading(owners.lowest_water) == 0

    def add(low_water_id: int) -> int:
        return engine.writing(
            lambda connection: owners.add(connection, node=1, at_ms=steps.now_ms, low_water_id=low_water_id)
        )

    first, second = add(500), add(300)
    assert second > first > 0
    assert engine.reading(owners.lowest_water) == 300
    engine.writing(lambda connection: owners.beat(connection, second, at_ms=steps.now_ms, low_water_id=700))
    assert engine.reading(owners.lowest_water) == 500
    engine.writing(lambda connection: owners.remove_others(connection, second))
    assert engine.reading(owners.lowest_water) == 700
    assert add(0) > second


def test_claiming_an_old_message_lowers_the_water_of_its_owner_only(engine: FreshStore, steps: Steps) -> None:
    old, later = _waiting(engine, steps, 2)
    mine, other = (
        engine.writing(lambda connection: owners.add(connection, node=1, at_ms=steps.now_ms, low_water_id=later + 100))
        for _ in range(2)
    )

    def waters() -> dict[object, object]:
        return {row[0]: row[1] for row in engine.rows("select id, low_water_id from owner")}

    engine.do(CLAIM, ClaimRequest(mine, steps.now_ms, 10))
    assert waters() == {mine: old, other: later + 100}
    newer = _waiting(engine, steps)
    assert [each.message_id for each in engine.do(CLAIM, ClaimRequest(mine, steps.now_ms, 10)).messages] == newer
    assert waters()[mine] == old


def test_an_owners_number_is_above_those_that_messages_name(engine: FreshStore, steps: Steps) -> None:
    steps.accept()
    number = engine.writing(lambda connection: owners.add(connection, node=1, at_ms=steps.now_ms, low_water_id=0))
    assert number > OWNER


def test_the_last_id_is_the_highest_of_all_tables(engine: FreshStore, steps: Steps) -> None:
    assert engine.reading(owners.last_id) == 0
    other = engine.add_account("other", 10)
    highest = steps.request([RECIPIENT], account_id=other, price=1)
    lower = steps.request([RECIPIENT])
    lower = lower._replace(messages=[lower.messages[0]._replace(message_id=MessageId(5))])
    engine.do(ACCEPT, lower._replace(bodies=highest.bodies))
    engine.do(ACCEPT, highest)
    assert engine.reading(owners.last_id) == highest.messages[0].message_id
