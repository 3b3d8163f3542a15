from itertools import permutations

import pytest

from heliograph.core.directory import Policy
from heliograph.core.messages import Message, Parcel
from heliograph.core.outcomes import Ambiguous, Deferred, Refused, SubmitOutcome, Submitted
from heliograph.core.reasons import Reason
from heliograph.core.settling import OutcomeKind
from heliograph.core.standing import Doubted, Ended, Requeued, Taken
from heliograph.core.states import MessageState
from heliograph.gsm.segments import Encoding, Segment
from heliograph.pipeline.submit import Departed, Judge, onward
from tests.unit.core.samples import CONTENT, FIRST, MESSAGE, SECOND

NOW_MS = 1_000
THREE = MESSAGE._replace(
    content=CONTENT._replace(
        encoding=Encoding.GSM7, segments=tuple(Segment(b"", bytes([number])) for number in range(3))
    ),
    expires_at_ms=10_000_000,
)


def judged(outcomes: list[SubmitOutcome], policy: Policy = Policy.RESEND) -> list[Departed]:
    judge, departed = Judge(FIRST, 7), list[Departed]()
    for outcome in outcomes:
        judge.judge(outcome, departed, policy=policy, now_ms=NOW_MS)
    return departed


def submitted(segment: int, message: Message = THREE) -> Submitted:
    return Submitted(Parcel(message, segment), f"0A-{segment}")


def test_one_segment_is_judged_at_once() -> None:
    (departed,) = judged([submitted(0, MESSAGE)])
    assert departed.fact.fact == Taken()
    assert departed.fact.kind == OutcomeKind.SUBMITTED
    assert (departed.fact.match_key, departed.fact.carrier_message_id) == ("a0", "0A-0")
    assert (departed.fact.carrier_id, departed.fact.session_id, departed.fact.at_ms) == (FIRST, 7, NOW_MS)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_long_message_that_is_taken_whole(order: tuple[int, ...]) -> None:
    departed = judged([submitted(segment) for segment in order])
    assert [(each.fact.segment, each.fact.fact) for each in departed] == [(segment, Taken()) for segment in order]


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize(
    ("failure", "fact"),
    [
        (Deferred(Parcel(THREE, 0), 5_000, True, "20"), Requeued(FIRST, True, NOW_MS + 5_000)),
        (Deferred(Parcel(THREE, 0), 0, False, "88"), Requeued(FIRST, False, 0)),
        (Refused(Parcel(THREE, 0), Reason.CARRIER_REFUSED, "11"), Ended(MessageState.REJECTED, Reason.CARRIER_REFUSED)),
        (Ambiguous(Parcel(THREE, 0), "cut"), Requeued(FIRST, True, 0)),
    ],
)
def test_a_failed_segment_is_decided_on_when_no_other_is_out(
    order: tuple[int, ...], failure: SubmitOutcome, fact: object
) -> None:
    outcomes: list[SubmitOutcome] = [failure, submitted(1), submitted(2)]
    departed = judged([outcomes[place] for place in order])
    assert [each.fact.fact for each in departed] == [Taken(), Taken(), fact]
    assert departed[-1].message.accepted == {1, 2}
    assert departed[-1].fact.segment == 0


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_refusal_outweighs_a_doubt_and_a_doubt_what_could_be_tried_again(order: tuple[int, ...]) -> None:
    outcomes: list[SubmitOutcome] = [
        Ambiguous(Parcel(THREE, 0), "cut"),
        Refused(Parcel(THREE, 1), Reason.CARRIER_REFUSED, "11"),
        Deferred(Parcel(THREE, 2), 5_000, True, "20"),
    ]
    (departed,) = judged([outcomes[place] for place in order], Policy.HOLD)
    assert departed.fact.fact == Ended(MessageState.REJECTED, Reason.CARRIER_REFUSED)
    outcomes[1] = Deferred(Parcel(THREE, 1), 5_000, True, "20")
    (departed,) = judged([outcomes[place] for place in order], Policy.HOLD)
    assert departed.fact.fact == Doubted()
    assert departed.fact.segment == 0


def test_only_segments_that_were_sent_this_time_are_waited_for() -> None:
    again = THREE._replace(accepted=frozenset({0}))
    departed = judged([Deferred(Parcel(again, 1), 0, False, "88"), submitted(2, again)])
    assert [type(each.fact.fact) for each in departed] == [Taken, Requeued]
    assert departed[-1].message.accepted == {0, 2}


def test_a_segment_of_a_failing_message_is_spared() -> None:
    judge, departed = Judge(FIRST, 7), list[Departed]()
    assert not judge.is_failing(THREE.message_id)
    judge.judge(Deferred(Parcel(THREE, 0), 0, False, "88"), departed, policy=Policy.RESEND, now_ms=NOW_MS)
    assert judge.is_failing(THREE.message_id)
    for segment in (1, 2):
        judge.spare(Parcel(THREE, segment), departed, policy=Policy.RESEND, now_ms=NOW_MS)
    assert [each.fact.fact for each in departed] == [Requeued(FIRST, False, 0)]
    assert departed[0].message.accepted == frozenset()
    assert not judge.is_failing(THREE.message_id)


def test_a_message_goes_on_with_what_it_has_tried() -> None:
    assert onward(MESSAGE, Requeued(FIRST, True, 0)) == MESSAGE._replace(attempts=1)
    assert onward(MESSAGE, Requeued(FIRST, False, 0)) == MESSAGE
    tried = MESSAGE._replace(attempts=4)
    assert onward(tried, Requeued(SECOND, True, 0)) == MESSAGE._replace(plan=(SECOND,), attempts=0)
