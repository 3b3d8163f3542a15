from collections import Counter

from heliograph.core.fairness import QUANTUM, FairQueue
from heliograph.core.messages import Message
from tests.unit.core.samples import message_of


def numbers(messages: list[Message]) -> list[int]:
    return [int(message.message_id) for message in messages]


def queue_of(*messages: Message) -> FairQueue:
    queue = FairQueue()
    queue.append(messages)
    return queue


def test_an_empty_queue_gives_nothing() -> None:
    queue = FairQueue()
    assert queue.take(10) == []
    assert len(queue) == 0
    assert queue.ids() == []


def test_one_account_is_served_in_order() -> None:
    queue = queue_of(*(message_of(1, number) for number in range(25)))
    assert numbers(queue.take(12)) == list(range(12))
    assert numbers(queue.take(100)) == list(range(12, 25))


def test_accounts_take_turns_of_ten() -> None:
    queue = queue_of(*(message_of(1, number) for number in range(1000)), *(message_of(2, n) for n in range(1000, 1015)))
    taken = queue.take(4 * QUANTUM)
    assert [int(message.account_id) for message in taken[::QUANTUM]] == [1, 2, 1, 2]
    assert Counter(int(message.account_id) for message in taken) == {1: 25, 2: 15}


def test_small_takes_serve_accounts_in_turns_too() -> None:
    queue = queue_of(*(message_of(account, account * 10 + step) for account in (1, 2, 3) for step in range(2)))
    assert [numbers(queue.take(1)) for _ in range(6)] == [[10], [20], [30], [11], [21], [31]]


def test_no_more_than_asked_for_is_taken_and_the_rest_is_counted() -> None:
    queue = queue_of(*(message_of(account, account * 100 + step) for account in (1, 2) for step in range(8)))
    assert len(queue.take(11)) == 11
    assert len(queue) == len(queue.ids()) == 5
    assert queue.take(0) == []
    assert len(queue) == 5


def test_those_of_an_account_are_counted() -> None:
    queue = queue_of(*(message_of(1, number) for number in range(3)), message_of(2, 7))
    queue.take(1)
    assert [queue.count_of(message_of(account, 0).account_id) for account in (1, 2, 3)] == [2, 1, 0]


def test_what_is_put_back_comes_before_the_others_of_its_account() -> None:
    queue = queue_of(*(message_of(1, number) for number in range(6)))
    taken = queue.take(3)
    queue.put_back(reversed(taken))
    assert len(queue) == 6
    assert numbers(queue.take(6)) == list(range(6))


def test_what_is_put_back_after_the_last_was_taken_is_there_again() -> None:
    queue = queue_of(message_of(1, 7))
    queue.put_back(queue.take(1))
    assert queue.ids() == [7]
    assert numbers(queue.take(5)) == [7]


def test_what_was_put_back_waits_behind_the_account_whose_turn_it_is() -> None:
    queue = queue_of(*(message_of(1, number) for number in range(3)), message_of(2, 20))
    queue.put_back(reversed(queue.take(2)))
    assert numbers(queue.take(4)) == [20, 0, 1, 2]


def test_the_expired_are_taken_out_and_the_others_keep_their_order() -> None:
    queue = queue_of(
        message_of(1, 1, expires_at_ms=200),
        message_of(1, 2, expires_at_ms=100),
        message_of(2, 3, expires_at_ms=99),
        message_of(1, 4, expires_at_ms=101),
    )
    assert sorted(numbers(queue.remove_expired(100))) == [2, 3]
    assert len(queue) == 2
    assert numbers(queue.take(9)) == [1, 4]


def test_when_nothing_expired_nothing_changes() -> None:
    queue = queue_of(message_of(1, 1), message_of(2, 2))
    assert queue.remove_expired(0) == []
    assert queue.ids() == [1, 2]
