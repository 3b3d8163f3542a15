"""How long to wait before the next try to connect: twice as long each time, within bounds, never quite the same."""

import random
from collections.abc import Callable
from typing import Final, TypeAlias

Dice: TypeAlias = Callable[[], float]
"""Gives a number from 0 up to 1."""

random_dice: Final[Dice] = random.random


class Backoff:
    """Grows from `first_s` to `most_s` seconds."""

    __slots__ = ("_dice", "_first_s", "_most_s", "_next_s")

    def __init__(self, first_s: float, most_s: float, dice: Dice) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._dice = dice
        self._next_s = first_s

    def next_s(self) -> float:
        """Seconds to wait now: between half of this step and all of it, so that many do not come back at once.

        >>> steps = Backoff(1, 60, dice=lambda: 1.0)
        >>> [steps.next_s() for _ in range(8)]
        [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
        """
        step = self._next_s
        self._next_s = min(step * 2, self._most_s)
        return step * (0.5 + self._dice() / 2)

    def reset(self) -> None:
        """All is well again: begin anew the next time."""
        self._next_s = self._first_s
