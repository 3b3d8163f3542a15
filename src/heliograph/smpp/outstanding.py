"""Our requests that wait for their answers: sequence numbers, the window and who waits longest.

Requests are added in the order of time and all wait equally long, so the order of the dict is the order of deadlines.
"""

from typing import Final

from heliograph.smpp.constants import MAX_SEQUENCE, CommandId

_WINDOWED: Final = frozenset(
    int(command_id)
    for command_id in (CommandId.SUBMIT_SM, CommandId.SUBMIT_MULTI, CommandId.DATA_SM, CommandId.DELIVER_SM)
)


class Outstanding:
    """The requests of one side.

    free_slots: messages that the window still lets out, requests other than messages left aside.
    """

    __slots__ = ("_last_sequence", "_requests", "free_slots")

    def __init__(self, window: int, *, last_sequence: int = 0) -> None:
        """window: messages unanswered at once, 1 or more. last_sequence: the number before the first one."""
        if window < 1:
            raise ValueError("a window lets at least one message out")
        self.free_slots = window
        self._last_sequence = last_sequence
        self._requests: dict[int, tuple[int, float]] = {}

    def __len__(self) -> int:
        """Requests of every kind that wait."""
        return len(self._requests)

    def sequences(self) -> tuple[int, ...]:
        """All that wait, oldest first."""
        return tuple(self._requests)

    def next_sequence(self) -> int:
        """A free sequence_number: 1 to 0x7FFFFFFF and round again."""
        sequence = self._last_sequence % MAX_SEQUENCE + 1
        while sequence in self._requests:
            sequence = sequence % MAX_SEQUENCE + 1
        self._last_sequence = sequence
        return sequence

    def add(self, sequence: int, command_id: int, *, now: float) -> None:
        """Let a request wait from now on."""
        self._requests[sequence] = (command_id, now)
        if command_id in _WINDOWED:
            self.free_slots -= 1

    def has_room(self, command_id: int) -> bool:
        """Whether the window lets a request of this kind out."""
        return self.free_slots > 0 or command_id not in _WINDOWED

    def take(self, sequence: int, command_id: int) -> bool:
        """End the wait of this request; false when none of this kind waits under the sequence."""
        waiting = self._requests.get(sequence)
        if waiting is None or waiting[0] != command_id:
            return False
        del self._requests[sequence]
        if command_id in _WINDOWED:
            self.free_slots += 1
        return True

    def command_of(self, sequence: int) -> int | None:
        """The command_id of the request that waits under the sequence."""
        waiting = self._requests.get(sequence)
        return None if waiting is None else waiting[0]

    def oldest(self) -> float | None:
        """When the request that waits longest was sent."""
        for _, sent in self._requests.values():
            return sent
        return None

    def take_overdue(self, response_s: float, now: float) -> list[tuple[int, int]]:
        """End the wait of all that have waited so long; sequence and command_id of each, oldest first."""
        overdue: list[tuple[int, int]] = []
        for sequence, (command_id, sent) in self._requests.items():
            if sent + response_s > now:
                break
            overdue.append((sequence, command_id))
        for sequence, command_id in overdue:
            self.take(sequence, command_id)
        return overdue
