import doctest
import re
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core import ids
from heliograph.core.ids import (
    EPOCH_MS,
    NODES,
    IdSource,
    first_at,
    id_and_mark,
    id_from_uid,
    id_from_uuid,
    made_at_ms,
    segment_reference,
    shown_id,
    uid_from,
    uuid_from,
)

NOON = EPOCH_MS + 43_200_000
COUNTERS = 64


def test_ids_count_from_2026() -> None:
    assert datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000 == EPOCH_MS


def test_an_id_is_milliseconds_node_and_counter() -> None:
    assert IdSource(5).next(NOON) == 43_200_000 << 12 | 5 << 6
    assert IdSource(63).take(3, NOON) == [43_200_000 << 12 | 63 << 6 | counter for counter in range(3)]


def test_one_millisecond_holds_64_ids_and_the_next_are_borrowed_from_the_future() -> None:
    source = IdSource(1)
    made = source.take(COUNTERS + 1, NOON)
    assert [made_at_ms(each) - NOON for each in made] == [0] * COUNTERS + [1]
    assert made[-1] == first_at(NOON + 1) | 1 << 6


def test_one_by_one_and_many_at_once_give_the_same_ids() -> None:
    one_by_one, at_once = IdSource(7), IdSource(7)
    assert [one_by_one.next(NOON) for _ in range(150)] == at_once.take(150, NOON)
    assert one_by_one.next(NOON) == at_once.next(NOON)


def test_taking_none_gives_none_and_loses_none() -> None:
    source = IdSource(0)
    before = source.next(NOON)
    assert source.take(0, NOON) == []
    assert source.next(NOON) == before + 1


def test_a_clock_set_back_does_not_set_ids_back() -> None:
    source = IdSource(0)
    before = source.next(NOON)
    assert source.next(NOON - 3_600_000) == before + 1
    assert source.next(EPOCH_MS - 1) == before + 2


@pytest.mark.parametrize("node", [0, 31, 63])
def test_a_new_source_starts_above_the_stores_last_id_whoever_made_that(node: int) -> None:
    last = IdSource(63).take(COUNTERS, NOON)[-1]
    assert IdSource(node, last=last).next(NOON - 10_000) > last
    assert IdSource(node, last=last).take(1, NOON - 10_000)[0] > last


def test_a_last_id_long_past_does_not_hold_the_clock_up() -> None:
    assert made_at_ms(IdSource(0, last=first_at(NOON - 1000)).next(NOON)) == NOON


def test_nodes_never_share_an_id() -> None:
    made = [identifier for node in range(NODES) for identifier in IdSource(node).take(100, NOON)]
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("node", [-1, NODES])
def test_a_node_out_of_range_is_refused(node: int) -> None:
    with pytest.raises(ValueError, match="0 to 63"):
        IdSource(node)


def test_the_bound_for_a_time_is_below_every_id_of_then_and_above_every_id_of_before() -> None:
    earlier, later = IdSource(63).take(COUNTERS, NOON - 1), IdSource(0).take(COUNTERS, NOON)
    assert max(earlier) < first_at(NOON) <= min(later)


def test_before_the_epoch_every_id_is_later() -> None:
    assert first_at(0) == first_at(EPOCH_MS) == 0


MARK, OTHER = "00c0ffee00c0ffee", "fffffffffffffffe"


def test_examples_in_docstrings_hold() -> None:
    attempted = doctest.testmod(ids)
    assert attempted.failed == 0
    assert attempted.attempted == 9


@pytest.mark.parametrize("mark", [MARK, OTHER])
@pytest.mark.parametrize("identifier", [1, IdSource(63).next(NOON), 2**53 - 1])
def test_shown_ids_come_back(identifier: int, mark: str) -> None:
    assert id_and_mark(shown_id(identifier, mark)) == (identifier, mark)
    shown = uuid_from(identifier, mark)
    assert id_from_uuid(shown, mark) == id_from_uuid(shown.upper(), mark) == identifier
    assert id_from_uuid(shown, "0123456789abcdef") is None


def test_a_uuid_is_one_by_its_standard_and_sorts_by_time() -> None:
    shown = [uuid_from(identifier, MARK) for identifier in IdSource(7).take(200, NOON)]
    assert {(uuid.UUID(each).version, uuid.UUID(each).variant) for each in shown} == {(8, uuid.RFC_4122)}
    assert sorted(shown) == shown
    assert len(set(shown)) == 200


@pytest.mark.parametrize(
    "written",
    ["", "x", uuid_from(7, MARK).replace("-", ""), uuid_from(7, MARK)[:-1], "f" * 8 + uuid_from(7, MARK)[8:]],
)
def test_what_was_never_shown_as_a_uuid_names_nothing(written: str) -> None:
    assert id_from_uuid(written, MARK) is None


@pytest.mark.parametrize("written", ["", "x", "f" * 32, shown_id(7, MARK)[1:], shown_id(7, MARK) + "0"])
def test_what_was_never_shown_names_nothing(written: str) -> None:
    assert id_and_mark(written) is None


def test_long_messages_of_one_moment_and_of_the_next_have_references_of_their_own() -> None:
    source = IdSource(5)
    moment = [segment_reference(identifier) for identifier in source.take(32, EPOCH_MS + 1_000)]
    later = segment_reference(source.next(EPOCH_MS + 1_100))
    assert len({*moment, later}) == 33
    assert all(0 <= reference <= 0xFF for reference in moment)


MARKS = st.from_regex("[0-9a-f]{16}", fullmatch=True)


@given(st.integers(0, 2**52 - 1), MARKS)
def test_a_uid_gives_its_id_back(identifier: int, mark: str) -> None:
    shown = uid_from(identifier, mark)
    assert re.fullmatch("[0-9a-f]{13}", shown)
    assert id_from_uid(shown, mark) == identifier


def test_neighbours_and_other_accounts_have_uids_that_look_unlike() -> None:
    shown = {uid_from(identifier, mark) for identifier in range(1000) for mark in ("0" * 16, "1" * 16)}
    assert len(shown) == 2000
    assert len({each[:3] for each in shown}) > 500


@pytest.mark.parametrize(
    "written", ["", "606812e63f78", "606812e63f78bb", "606812E63F78B", "send", "606812e63f78\u0663"]
)
def test_what_is_no_uid(written: str) -> None:
    assert id_from_uid(written, "0" * 16) is None


def test_uids_last_until_2060() -> None:
    last = IdSource(63).next(int(datetime(2060, 1, 1, tzinfo=UTC).timestamp() * 1000))
    assert id_from_uid(uid_from(last, "0" * 16), "0" * 16) == last
    with pytest.raises(ValueError, match="52 bits"):
        uid_from(2**52, "0" * 16)
