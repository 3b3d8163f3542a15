from heliograph.core.room import for_waiting, has_room

MOST = 800


def test_one_account_may_have_all_but_what_is_kept() -> None:
    assert has_room(10, in_memory=690, of_account=690, most=MOST)
    assert not has_room(11, in_memory=690, of_account=690, most=MOST)


def test_what_waits_in_the_store_does_not_get_what_is_kept() -> None:
    assert for_waiting(MOST) == 700


def test_an_account_that_has_little_gets_it_until_it_has_its_share() -> None:
    assert has_room(8, in_memory=700, of_account=0, most=MOST)
    assert not has_room(1, in_memory=708, of_account=8, most=MOST)


def test_nobody_gets_more_than_there_is() -> None:
    assert not has_room(1, in_memory=MOST, of_account=0, most=MOST)


def test_a_memory_of_one_message_is_used() -> None:
    assert has_room(1, in_memory=0, of_account=0, most=1)
    assert not has_room(1, in_memory=1, of_account=0, most=1)
