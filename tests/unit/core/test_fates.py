import pytest

from heliograph.core.fates import SUFFIX_DIGITS, Fate, fate_of, table
from heliograph.core.states import MessageState
from heliograph.gsm.segments import count_segments


@pytest.mark.parametrize("fate", Fate)
def test_the_last_digits_choose_the_fate(fate: Fate) -> None:
    assert fate_of("+278312" + (fate.digits or "34567")) is fate
    assert fate_of("278312" + (fate.digits or "34567")) is fate


def test_digits_are_distinct_and_of_one_length() -> None:
    special = [fate.digits for fate in Fate if fate is not Fate.DELIVERED]
    assert len(set(special)) == len(Fate) - 1
    assert {len(digits) for digits in special} == {SUFFIX_DIGITS}


def test_digits_elsewhere_than_at_the_end_mean_nothing() -> None:
    assert fate_of("+27999021234") is Fate.DELIVERED


def test_a_number_shorter_than_the_digits_is_delivered() -> None:
    assert fate_of("99") is Fate.DELIVERED
    assert fate_of("") is Fate.DELIVERED


def test_only_those_who_write_back_have_a_reply_and_they_are_delivered_first() -> None:
    replies = {fate: fate.reply for fate in Fate if fate.reply is not None}
    assert set(replies) == {Fate.REPLIES, Fate.OPTS_OUT, Fate.REPLIES_LONG}
    assert replies[Fate.OPTS_OUT] == "STOP"
    assert all(fate.end is MessageState.DELIVERED for fate in replies)


def test_fates_without_receipt() -> None:
    assert {fate for fate in Fate if fate.end is None} == {Fate.REJECTED, Fate.NO_RECEIPT}


def test_the_table_for_people_has_a_working_example_of_every_fate() -> None:
    rows = table()
    assert [row.sentence for row in rows] == [fate.sentence for fate in Fate]
    assert [fate_of(row.example) for row in rows] == list(Fate)


def test_a_long_reply_has_several_segments() -> None:
    assert Fate.REPLIES_LONG.reply is not None
    assert count_segments(Fate.REPLIES_LONG.reply)[1] > 2
