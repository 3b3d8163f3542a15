"""Walks over the table of moves: no message goes back but to its queue, and every message can end."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from heliograph.core.states import MOVES, MessageState, may_move

S = MessageState


@given(st.data())
def test_a_message_never_goes_back_but_to_be_tried_again(data: st.DataObject) -> None:
    state, walk = S.SCHEDULED, [S.SCHEDULED]
    while MOVES[state] and len(walk) < 30:
        state = data.draw(st.sampled_from(sorted(MOVES[state])))
        walk.append(state)
    for old, new in itertools.pairwise(walk):
        assert may_move(old, new)
        back_in_the_queue = new is S.QUEUED and old in (S.SUBMITTING, S.HELD)
        out_of_doubt = (old, new) == (S.HELD, S.SUBMITTED)
        truth_at_last = old is S.UNKNOWN and new.is_terminal
        assert new > old or back_in_the_queue or out_of_doubt or truth_at_last
    assert walk.count(S.SCHEDULED) == 1
    assert sum(state.is_terminal for state in walk) <= 2
    assert S.SUBMITTED not in walk or S.QUEUED not in walk[walk.index(S.SUBMITTED) :]


@given(st.sampled_from(S))
def test_every_message_can_come_to_an_end(state: MessageState) -> None:
    reached, frontier = {state}, {state}
    while frontier:
        frontier = {new for old in frontier for new in MOVES[old]} - reached
        reached |= frontier
    assert any(each.is_terminal and each is not S.UNKNOWN for each in reached)


@given(st.sampled_from(S), st.sampled_from(S), st.sampled_from(S))
def test_an_end_is_left_only_for_another_and_only_once(first: S, second: S, third: S) -> None:
    if first.is_terminal and may_move(first, second):
        assert first is S.UNKNOWN
        assert second.is_terminal
        assert not may_move(second, third)
