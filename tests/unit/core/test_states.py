import pytest

from heliograph.core.states import MOVES, Charge, MessageState, may_move

S = MessageState
ENDS = {S.DELIVERED, S.UNDELIVERED, S.EXPIRED, S.REJECTED, S.FAILED, S.CANCELLED, S.UNKNOWN, S.RECEIVED}


def test_stored_numbers_never_change() -> None:
    assert {state.name: int(state) for state in S} == {
        "SCHEDULED": 0,
        "QUEUED": 1,
        "SUBMITTING": 2,
        "SUBMITTED": 3,
        "HELD": 4,
        "DELIVERED": 10,
        "UNDELIVERED": 11,
        "EXPIRED": 12,
        "REJECTED": 13,
        "FAILED": 14,
        "CANCELLED": 15,
        "UNKNOWN": 16,
        "RECEIVED": 20,
    }
    assert {charge.name: int(charge) for charge in Charge} == {"HELD": 1, "CAPTURED": 2, "RELEASED": 3}


def test_the_ends_are_terminal_and_nothing_else_is() -> None:
    assert {state for state in S if state.is_terminal} == ENDS


def test_every_state_has_its_moves() -> None:
    assert set(MOVES) == set(S)


def test_no_state_moves_to_itself() -> None:
    assert not [state for state in S if may_move(state, state)]


def test_an_end_is_the_end_but_unknown_may_learn_its_true_one() -> None:
    assert {end: set(MOVES[end]) for end in ENDS if MOVES[end]} == {
        S.UNKNOWN: {S.DELIVERED, S.UNDELIVERED, S.EXPIRED, S.REJECTED}
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (S.SCHEDULED, S.QUEUED),
        (S.QUEUED, S.SUBMITTING),
        (S.SUBMITTING, S.SUBMITTED),
        (S.SUBMITTED, S.DELIVERED),
        (S.SUBMITTING, S.DELIVERED),
        (S.SUBMITTING, S.QUEUED),
        (S.SUBMITTING, S.HELD),
        (S.HELD, S.UNKNOWN),
    ],
)
def test_moves_of_the_ordinary_life(old: S, new: S) -> None:
    assert may_move(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (S.SCHEDULED, S.SUBMITTING),
        (S.QUEUED, S.SUBMITTED),
        (S.SUBMITTED, S.QUEUED),
        (S.SUBMITTED, S.HELD),
        (S.HELD, S.SUBMITTING),
        (S.DELIVERED, S.UNKNOWN),
        (S.UNKNOWN, S.QUEUED),
    ],
)
def test_moves_that_nothing_may_make(old: S, new: S) -> None:
    assert not may_move(old, new)


def test_words_for_people() -> None:
    assert [state.word for state in (S.SUBMITTING, S.UNKNOWN)] == ["submitting", "unknown"]
