from heliograph.core.events import Audience, Event, Told
from heliograph.core.ids import AccountId, MessageId, WebhookId
from heliograph.core.reasons import Reason
from heliograph.core.receipts import Receipt
from heliograph.core.settling import Doubt, Fold, MapRow, OutcomeKind, Place, ReceiptFact, SegmentFact
from heliograph.core.standing import Doubted, Ended, Fact, Requeued, Standing, Taken
from heliograph.core.states import Charge, MessageState
from tests.unit.core.samples import FIRST, SECOND, STANDING

S = MessageState
OUR_KEY = (STANDING.account_id, STANDING.message_id)
ADDRESSES = ("27831234567", "Heliograph")
HELD = STANDING._replace(state=S.HELD, reason=Reason.IN_DOUBT.number)
UNKNOWN = STANDING._replace(state=S.UNKNOWN, charge=Charge.RELEASED, reason=Reason.NO_RECEIPT.number)
NOBODY = Audience({})
DOUBT = Doubt(FIRST, STANDING.recipient, STANDING.account_id, STANDING.message_id, 0, "Heliograph", 100)


def batch(
    *standings: Standing, receipt_map: dict[Place, MapRow] | None = None, doubts: list[Doubt] | None = None
) -> Fold:
    before = {(standing.account_id, standing.message_id): standing for standing in standings}
    return Fold(receipt_map or {}, doubts or [], before)


def segment(fact: Fact, *, number: int = 0, key: str | None = None, kind: OutcomeKind | None = None) -> SegmentFact:
    if kind is None:
        kind = OutcomeKind.SUBMITTED if key else OutcomeKind.DEFERRED
    return SegmentFact(
        account_id=STANDING.account_id,
        message_id=STANDING.message_id,
        segment=number,
        fact=fact,
        carrier_id=FIRST,
        session_id=3,
        kind=kind,
        match_key=key,
        carrier_message_id=key,
        status="0",
        sender="Heliograph",
        at_ms=200,
    )


def receipt(key: str, state: S | None = S.DELIVERED, *, addresses: tuple[str, str] = ADDRESSES) -> ReceiptFact:
    return ReceiptFact(FIRST, Receipt(key, state, addresses, "000"), 300)


def settled_row(number: int = 0) -> MapRow:
    row = MapRow(200)
    row.account_id, row.message_id, row.segment = STANDING.account_id, STANDING.message_id, number
    row.state, row.is_settled = S.DELIVERED, True
    return row


def state_of(fold: Fold) -> S:
    return fold.standings[OUR_KEY].state


def test_stored_numbers_never_change() -> None:
    assert {kind.name: int(kind) for kind in OutcomeKind} == {
        "NONE": 0,
        "SUBMITTED": 1,
        "REFUSED": 2,
        "DEFERRED": 3,
        "AMBIGUOUS": 4,
    }


def test_an_answer_and_its_receipt_deliver_in_either_order() -> None:
    answer_first, receipt_first = batch(STANDING), batch(STANDING)
    facts: list[SegmentFact | ReceiptFact] = [segment(Taken(), key="a1"), receipt("a1")]
    assert answer_first.fold(facts, NOBODY).entered == [S.SUBMITTED, S.DELIVERED]
    assert receipt_first.fold(facts[::-1], NOBODY).entered == [S.SUBMITTED, S.DELIVERED]
    assert answer_first.standings == receipt_first.standings
    for fold in (answer_first, receipt_first):
        row = fold.changes.map[FIRST, "a1"]
        assert (row.message_id, row.segment, row.is_settled) == (STANDING.message_id, 0, True)


def test_a_receipt_of_nobody_yet_is_parked() -> None:
    fold = batch(STANDING)
    assert fold.fold([receipt("a1", S.UNDELIVERED)], NOBODY).entered == []
    row = fold.changes.map[FIRST, "a1"]
    assert (row.message_id, row.state, row.addresses, row.error) == (None, S.UNDELIVERED, ADDRESSES, "000")
    assert fold.changed == []


def test_a_report_on_the_way_does_not_push_out_the_parked_end() -> None:
    fold = batch(STANDING)
    fold.fold([receipt("a1"), receipt("a1", None), segment(Taken(), key="a1")], NOBODY)
    assert state_of(fold) is S.DELIVERED


def test_a_parked_receipt_about_somebody_else_is_not_taken_for_ours() -> None:
    fold = batch(STANDING)
    fold.fold([receipt("a1", addresses=("27999999999", "")), segment(Taken(), key="a1")], NOBODY)
    assert state_of(fold) is S.SUBMITTED


def test_ids_are_the_carriers_own() -> None:
    fold = batch(STANDING)
    fold.fold([segment(Taken(), key="a1"), receipt("a1")._replace(carrier_id=SECOND)], NOBODY)
    assert state_of(fold) is S.SUBMITTED


def test_a_receipt_about_somebody_else_settles_nothing() -> None:
    fold = batch(STANDING)
    fold.fold([segment(Taken(), key="a1"), receipt("a1", addresses=("27999999999", "12345"))], NOBODY)
    assert state_of(fold) is S.SUBMITTED
    assert not fold.changes.map[FIRST, "a1"].is_settled


def test_the_same_receipt_twice_counts_once() -> None:
    fold = batch(STANDING._replace(segments=2))
    fold.fold([segment(Taken(), key="a1"), segment(Taken(), number=1, key="a2"), receipt("a1"), receipt("a1")], NOBODY)
    assert (state_of(fold), fold.standings[OUR_KEY].delivered) == (S.SUBMITTED, 1)
    fold.fold([receipt("a2")], NOBODY)
    assert state_of(fold) is S.DELIVERED


def test_an_id_that_the_carrier_uses_again_belongs_to_the_new_message() -> None:
    older = settled_row()
    older.message_id = MessageId(99)
    fold = batch(STANDING, receipt_map={(FIRST, "a1"): older})
    fold.fold([segment(Taken(), key="a1"), receipt("a1")], NOBODY)
    assert state_of(fold) is S.DELIVERED


def test_an_unknown_message_learns_its_end_from_a_late_receipt() -> None:
    row = settled_row()
    row.is_settled = False
    fold = batch(UNKNOWN, receipt_map={(FIRST, "a1"): row})
    assert fold.fold([receipt("a1")], NOBODY).entered == [S.DELIVERED]
    assert fold.changed[0].charge is Charge.CAPTURED


def test_a_stray_receipt_settles_the_one_doubt_that_it_fits() -> None:
    fold = batch(HELD, doubts=[DOUBT])
    assert fold.fold([receipt("a1")], NOBODY).entered == [S.DELIVERED]
    assert fold.standings[OUR_KEY].accepted == 1
    assert fold.changes.map[FIRST, "a1"].message_id == STANDING.message_id


def test_a_stray_receipt_that_could_be_about_two_doubts_is_parked() -> None:
    other = HELD._replace(message_id=MessageId(2))
    fold = batch(HELD, other, doubts=[DOUBT, DOUBT._replace(message_id=MessageId(2))])
    fold.fold([receipt("a1")], NOBODY)
    assert fold.changed == []
    assert fold.changes.map[FIRST, "a1"].message_id is None


def test_a_stray_receipt_that_does_not_fit_the_doubt_settles_nothing() -> None:
    misfits = [
        DOUBT._replace(carrier_id=SECOND),
        DOUBT._replace(recipient="+27999999999"),
        DOUBT._replace(sender="Semaphore"),
        DOUBT._replace(marked_at_ms=301),
    ]
    for doubt in misfits:
        fold = batch(HELD, doubts=[doubt])
        fold.fold([receipt("a1")], NOBODY)
        assert fold.changed == []
    anonymous = batch(HELD, doubts=[DOUBT])
    anonymous.fold([receipt("a1", addresses=("", ""))], NOBODY)
    assert anonymous.changed == []


def test_a_doubt_and_a_wait_are_noted_for_later() -> None:
    doubted, put_off, put_off_for_nothing = batch(STANDING), batch(STANDING), batch(STANDING._replace(state=S.QUEUED))
    doubted.fold([segment(Doubted())], NOBODY)
    assert doubted.changes.doubts == [DOUBT._replace(marked_at_ms=200)]
    put_off.fold([segment(Requeued(FIRST, counts=True, due_ms=900))], NOBODY)
    assert put_off.changes.ready == [(900, *OUR_KEY, FIRST)]
    put_off_for_nothing.fold([segment(Requeued(FIRST, counts=True, due_ms=900))], NOBODY)
    assert put_off_for_nothing.changes.ready == []


def test_each_try_leaves_a_row_and_an_end_without_a_try_leaves_none() -> None:
    fold = batch(STANDING)
    expired = Ended(S.EXPIRED, Reason.VALIDITY_PASSED)
    put_off = Requeued(FIRST, counts=True, due_ms=0)
    fold.fold([segment(put_off), segment(expired, number=-1, kind=OutcomeKind.NONE)], NOBODY)
    assert fold.changes.attempts == [(*OUR_KEY, 0, 200, FIRST, 3, OutcomeKind.DEFERRED, None, "0")]
    assert state_of(fold) is S.EXPIRED


def test_webhooks_that_want_a_state_are_told_of_it_once() -> None:
    fold = batch(STANDING._replace(reference="order 7"))
    audience = Audience(
        {
            (STANDING.account_id, S.DELIVERED): (WebhookId(8), WebhookId(9)),
            (AccountId(2), S.SUBMITTED): (WebhookId(5),),
        }
    )
    settled = fold.fold([segment(Taken(), key="a1"), receipt("a1"), receipt("a1")], audience)
    event = Event(*OUR_KEY, S.DELIVERED, 300, STANDING.recipient, "order 7", detail="000")
    assert settled.told == [Told(WebhookId(8), event), Told(WebhookId(9), event)]
    assert fold.changes.outbox == [(8, *OUR_KEY, S.DELIVERED, 300), (9, *OUR_KEY, S.DELIVERED, 300)]
    assert fold.changes.events == [(*OUR_KEY, 200, S.SUBMITTED, 0, "0"), (*OUR_KEY, 300, S.DELIVERED, 0, "000")]


def test_each_request_of_a_batch_hears_of_its_own_facts_and_sees_what_came_before() -> None:
    fold = batch(STANDING)
    assert fold.fold([segment(Taken(), key="a1")], NOBODY).entered == [S.SUBMITTED]
    assert fold.fold([receipt("a1")], NOBODY).entered == [S.DELIVERED]
    assert [standing.state for standing in fold.changed] == [S.DELIVERED]
    assert fold.before[OUR_KEY] is STANDING


def test_facts_about_a_message_that_is_gone_change_nothing() -> None:
    fold = batch()
    assert fold.fold([segment(Taken(), key="a1")], NOBODY).states == {}
    assert fold.changes.map == {}
