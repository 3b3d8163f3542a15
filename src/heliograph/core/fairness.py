"""A queue that serves accounts in turns, so that a million messages of one do not delay ten of another."""

from collections import OrderedDict, deque
from collections.abc import Iterable

from heliograph.core.ids import AccountId, MessageId
from heliograph.core.messages import Message

QUANTUM = 10
"""Messages an account may have taken before the next account's turn."""


class FairQueue:
    """Messages of many accounts; order is kept within an account."""

    __slots__ = ("_size", "_waiting")

    def __init__(self) -> None:
        self._waiting: OrderedDict[AccountId, deque[Message]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def append(self, messages: Iterable[Message]) -> None:
        """Put messages behind those of their accounts."""
        waiting = self._waiting
        for message in messages:
            line = waiting.get(message.account_id)
            if line is None:
                line = waiting[message.account_id] = deque()
            line.append(message)
            self._size += 1

    def put_back(self, messages: Iterable[Message]) -> None:
        """Put messages that were taken before those of their accounts again."""
        for message in messages:
            self._waiting.setdefault(message.account_id, deque()).appendleft(message)
            self._size += 1

    def take(self, most: int) -> list[Message]:
        """Take up to `most` messages, a few of each account in turn."""
        taken: list[Message] = []
        waiting = self._waiting
        while waiting and len(taken) < most:
            account_id, line = next(iter(waiting.items()))
            turn = min(QUANTUM, most - len(taken), len(line))
            taken.extend(line.popleft() for _ in range(turn))
            if line:
                waiting.move_to_end(account_id)
            else:
                del waiting[account_id]
        self._size -= len(taken)
        return taken

    def count_of(self, account_id: AccountId) -> int:
        """How many messages of an account are in the queue."""
        return len(self._waiting.get(account_id, ()))

    def ids(self) -> list[MessageId]:
        """The ids of all messages in the queue."""
        return [message.message_id for line in self._waiting.values() for message in line]

    def remove_expired(self, now_ms: int) -> list[Message]:
        """Take out the messages whose validity has passed."""
        expired = [message for line in self._waiting.values() for message in line if message.expires_at_ms <= now_ms]
        if expired:
            kept = [message for line in self._waiting.values() for message in line if message.expires_at_ms > now_ms]
            self._waiting.clear()
            self._size = 0
            self.append(kept)
        return expired
