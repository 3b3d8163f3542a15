import pytest

from heliograph.smpp.constants import MAX_SEQUENCE, CommandId
from heliograph.smpp.outstanding import Outstanding


def test_sequences_wrap_to_one_and_skip_what_waits() -> None:
    outstanding = Outstanding(10, last_sequence=MAX_SEQUENCE - 1)
    outstanding.add(1, CommandId.SUBMIT_SM, now=0.0)
    assert [outstanding.next_sequence() for _ in range(3)] == [MAX_SEQUENCE, 2, 3]


def test_the_window_counts_messages_alone() -> None:
    outstanding = Outstanding(2)
    outstanding.add(1, CommandId.SUBMIT_SM, now=0.0)
    outstanding.add(2, CommandId.ENQUIRE_LINK, now=0.0)
    outstanding.add(3, CommandId.DATA_SM, now=0.0)
    assert (outstanding.free_slots, len(outstanding)) == (0, 3)
    assert not outstanding.has_room(CommandId.DELIVER_SM)
    assert outstanding.has_room(CommandId.QUERY_SM)
    assert outstanding.take(1, CommandId.SUBMIT_SM)
    assert outstanding.take(2, CommandId.ENQUIRE_LINK)
    assert (outstanding.free_slots, len(outstanding)) == (1, 1)


def test_only_the_right_kind_is_taken() -> None:
    outstanding = Outstanding(2)
    outstanding.add(1, CommandId.SUBMIT_SM, now=0.0)
    assert not outstanding.take(1, CommandId.DATA_SM)
    assert not outstanding.take(2, CommandId.SUBMIT_SM)
    assert outstanding.command_of(1) == CommandId.SUBMIT_SM
    assert outstanding.command_of(2) is None


def test_the_overdue_are_taken_oldest_first() -> None:
    outstanding = Outstanding(5)
    for sequence, now in [(1, 0.0), (2, 1.0), (3, 2.0)]:
        outstanding.add(sequence, CommandId.SUBMIT_SM, now=now)
    assert outstanding.oldest() == 0.0
    assert outstanding.take_overdue(5.0, 6.0) == [(1, 4), (2, 4)]
    assert outstanding.sequences() == (3,)
    assert outstanding.free_slots == 4
    assert outstanding.take(3, CommandId.SUBMIT_SM)
    assert outstanding.oldest() is None


def test_a_window_of_none_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Outstanding(0)
