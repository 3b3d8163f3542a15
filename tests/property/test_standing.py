"""Whatever facts come in whatever order: states move as the table says, and a price changes hands once."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from heliograph.core.standing import Fact, Reported, Standing, Taken, apply
from heliograph.core.states import Charge, MessageState, may_move
from tests.unit.core.samples import FACTS, STANDING

S = MessageState
STARTS = st.builds(
    lambda state, segments: STANDING._replace(state=state, segments=segments),
    st.sampled_from([S.SCHEDULED, S.QUEUED, S.SUBMITTING]),
    st.integers(1, 4),
)
CHANGING = ("state", "accepted", "delivered", "charge", "attempts", "carrier_id", "reason")
# The mark is not a fact: None in a life is the statement by which a queued message leaves.
LIVES = st.lists(FACTS | st.none(), max_size=25)


def lived(start: Standing, life: list[Fact | None]) -> list[tuple[Standing, Fact | None, Standing]]:
    """Each step of a life: before, the fact or None for the mark, after."""
    steps = []
    standing = start
    for fact in life:
        before = standing
        if fact is not None:
            standing = apply(before, fact)
        elif before.state is S.QUEUED:
            standing = before._replace(state=S.SUBMITTING)
        steps.append((before, fact, standing))
    return steps


@given(STARTS, LIVES)
def test_a_state_moves_only_as_the_table_says(start: Standing, life: list[Fact | None]) -> None:
    for before, _, after in lived(start, life):
        assert after.state is before.state or may_move(before.state, after.state)


@given(STARTS, LIVES)
def test_an_end_stays_but_unknown_may_learn_its_true_one(start: Standing, life: list[Fact | None]) -> None:
    ends = [after.state for _, _, after in lived(start, life) if after.state.is_terminal]
    different = [state for state, _ in itertools.groupby(ends)]
    assert len(different) <= 1 or (len(different) == 2 and different[0] is S.UNKNOWN)


@given(STARTS, LIVES)
def test_a_price_is_captured_at_most_once_and_never_given_back_after(start: Standing, life: list[Fact | None]) -> None:
    charges = [start.charge, *(after.charge for _, _, after in lived(start, life))]
    assert [charge for charge, _ in itertools.groupby(charges)] in (
        [Charge.HELD],
        [Charge.HELD, Charge.CAPTURED],
        [Charge.HELD, Charge.RELEASED],
        [Charge.HELD, Charge.RELEASED, Charge.CAPTURED],
    )


@given(STARTS, LIVES)
def test_only_late_good_news_of_an_unknown_message_takes_a_released_price_again(
    start: Standing, life: list[Fact | None]
) -> None:
    for before, fact, after in lived(start, life):
        if before.charge is Charge.RELEASED and after.charge is not Charge.RELEASED:
            assert before.state is S.UNKNOWN
            assert isinstance(fact, Reported)
            assert after.state is S.DELIVERED


@given(STARTS, LIVES)
def test_no_ended_message_holds_its_price_and_no_delivered_one_is_free(
    start: Standing, life: list[Fact | None]
) -> None:
    for _, _, after in lived(start, life):
        assert not (after.state.is_terminal and after.charge is Charge.HELD)
        assert after.state not in (S.SUBMITTED, S.DELIVERED) or after.charge is Charge.CAPTURED
        assert after.state.is_terminal or after.charge is not Charge.RELEASED


@given(STARTS, LIVES)
def test_counts_never_fall_and_a_carrier_takes_no_more_than_there_is(start: Standing, life: list[Fact | None]) -> None:
    for before, _, after in lived(start, life):
        assert before.accepted <= after.accepted <= after.segments
        assert before.delivered <= after.delivered
        assert after.state is not S.SUBMITTED or after.accepted == after.segments
        assert after.state is not S.DELIVERED or after.delivered >= after.segments


@given(STARTS, LIVES)
def test_what_a_message_is_never_changes(start: Standing, life: list[Fact | None]) -> None:
    for _, _, after in lived(start, life):
        assert after._replace(**{name: getattr(start, name) for name in CHANGING}) == start


@given(STARTS, LIVES)
def test_a_message_is_tried_anew_only_while_it_is_on_its_way_to_a_carrier(
    start: Standing, life: list[Fact | None]
) -> None:
    for before, _, after in lived(start, life):
        if after.carrier_id != before.carrier_id or after.attempts != before.attempts:
            assert before.state in (S.SCHEDULED, S.SUBMITTING, S.HELD)
            assert after.state is S.QUEUED
            assert after.attempts == (0 if after.carrier_id != before.carrier_id else before.attempts + 1)


@given(STARTS, LIVES)
def test_a_bad_end_has_a_reason_and_good_news_none(start: Standing, life: list[Fact | None]) -> None:
    for _, _, after in lived(start, life):
        if after.state in (S.SUBMITTED, S.DELIVERED):
            assert after.reason == 0
        elif after.state.is_terminal:
            assert after.reason >= 200


@given(STARTS, LIVES, FACTS)
def test_a_fact_other_than_taken_that_changes_nothing_returns_the_very_same_object(
    start: Standing, life: list[Fact | None], fact: Fact
) -> None:
    before = lived(start, [*life, None])[-1][2]
    after = apply(before, fact)
    taken = isinstance(fact, Taken) or (isinstance(fact, Reported) and fact.taken)
    assert taken or after != before or after is before
