"""A queue against a plain model of it: nothing lost, nothing doubled, order kept, nobody starved."""

from collections import Counter, deque

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from heliograph.core.fairness import QUANTUM, FairQueue
from heliograph.core.messages import Message
from tests.unit.core.samples import message_of

ACCOUNTS = st.integers(1, 4)


class Queueing(RuleBasedStateMachine):
    """The model keeps one line for each account; the queue must give the lines' heads, in any mixture."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = FairQueue()
        self.lines: dict[int, deque[Message]] = {}
        self.taken: list[Message] = []
        self.made = 0

    @rule(account=ACCOUNTS, count=st.integers(1, 25), expires_at_ms=st.integers(1, 100))
    def append(self, account: int, count: int, expires_at_ms: int) -> None:
        messages = [message_of(account, self.made + step, expires_at_ms=expires_at_ms) for step in range(count)]
        self.made += count
        self.queue.append(messages)
        self.lines.setdefault(account, deque()).extend(messages)

    @rule(most=st.integers(0, 60))
    def take(self, most: int) -> None:
        waiting = sum(map(len, self.lines.values()))
        taken = self.queue.take(most)
        assert len(taken) == min(most, waiting)
        for message in taken:
            assert message is self.lines[message.account_id].popleft()
        self.taken = taken

    @rule(count=st.integers(0, 60))
    def put_back(self, count: int) -> None:
        # What was taken last is put back from its end, as after a session that ended.
        back = self.taken[len(self.taken) - min(count, len(self.taken)) :]
        self.queue.put_back(reversed(back))
        for message in reversed(back):
            self.lines[message.account_id].appendleft(message)
        self.taken = []

    @rule(now_ms=st.integers(0, 101))
    def expire(self, now_ms: int) -> None:
        expired = {message for line in self.lines.values() for message in line if message.expires_at_ms <= now_ms}
        removed = self.queue.remove_expired(now_ms)
        assert len(removed) == len(expired)
        assert set(removed) == expired
        for account, line in self.lines.items():
            self.lines[account] = deque(message for message in line if message not in expired)

    @invariant()
    def holds_exactly_what_waits(self) -> None:
        waiting = [message.message_id for line in self.lines.values() for message in line]
        assert len(self.queue) == len(waiting)
        assert sorted(self.queue.ids()) == sorted(waiting)


TestQueueing = Queueing.TestCase


@given(st.dictionaries(ACCOUNTS, st.integers(1, 60), min_size=1), st.integers(1, 200))
def test_no_account_gets_more_than_one_turn_ahead_of_another_that_waits(waiting: dict[int, int], most: int) -> None:
    queue = FairQueue()
    for account, count in waiting.items():
        queue.append(message_of(account, account * 1000 + step) for step in range(count))

    shares = Counter(int(message.account_id) for message in queue.take(most))

    for account, count in waiting.items():
        if shares[account] < count:
            assert all(share <= shares[account] + QUANTUM for share in shares.values())


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3))
def test_a_newcomer_waits_for_one_turn_of_each_other_at_most(others: int, newcomers: int, size: int) -> None:
    queue = FairQueue()
    for account in range(others):
        queue.append(message_of(account, account * 1000 + step) for step in range(100))
    queue.take(size)
    queue.append(message_of(99, 99_000 + step) for step in range(newcomers))

    soon = queue.take((others + 1) * QUANTUM)

    assert sum(message.account_id == 99 for message in soon) == newcomers
